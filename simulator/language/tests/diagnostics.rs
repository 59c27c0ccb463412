//! What is said about each kind of mistake, as a person sees it.

use sansim_language::{Set, load_text};

const ARRAY: &str = r#"
[array]
personality = "rdac"
luns = [{ size = "256MiB", owner = "A" }]
"#;

/// A step that runs a program.
const ASK: &str = "[[step]]\nname = \"ask\"\nat = \"1s\"\nrun = [\"true\"]\n";

/// Snapshots without the test's own text, which they would only repeat.
macro_rules! snapshot {
    ($name:literal, $text:expr) => {{
        let mut settings = insta::Settings::clone_current();
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!($name, $text));
    }};
    ($text:expr) => {{
        let mut settings = insta::Settings::clone_current();
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!($text));
    }};
}

/// A scenario with these tables, and an array unless they have one.
fn scenario(tables: &str) -> String {
    let array = if tables.contains("[array]") { "" } else { ARRAY };
    format!("title = \"a story\"\n{tables}{array}")
}

/// What is said about a scenario; warnings of a sound one too.
fn said(text: &str, sets: &[Set]) -> String {
    let diagnostics = match load_text("story.toml", text, sets) {
        Ok(scenario) => scenario.warnings,
        Err(diagnostics) => diagnostics,
    };
    let rendered = diagnostics.render(80, false);
    // The renderer pads some lines, which snapshots would not keep.
    rendered.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// Each case with what is said about it. A case about which nothing is said is a case that fails.
fn all(cases: &[(&str, &str)]) -> String {
    let one = |(title, tables): &(&str, &str)| {
        let said = said(&scenario(tables), &[]);
        assert!(!said.is_empty(), "{title}: nothing is wrong with it");
        format!("# {title}\n{said}\n")
    };
    cases.iter().map(one).collect()
}

#[test]
fn form() {
    snapshot!(all(&[
        ("TOML that is none", "[guest\n"),
        ("two mistakes in the TOML", "a = \nb = [1,\n"),
        ("a key twice", "limit = \"1s\"\nlimit = \"2s\"\n"),
        ("an unknown table", "[gest]\nimage = \"bookworm\"\n"),
        ("an unknown key", "[workload]\nqueue_deph = 4\n"),
        (
            "an unknown key in a table of a list",
            "[[fault]]\nwhen = { op = \"READ\", frist = 2 }\nthen = { lose = \"reply\" }\n"
        ),
        ("a wrong type", "[workload]\nqueue_depth = \"four\"\n"),
        ("a negative number", "[workload]\nrate = -1\n"),
        ("a table where a list belongs", "[fault]\nthen = { lose = \"reply\" }\n"),
        ("a word that is not accepted", "[workload]\npattern = \"verfy\"\n"),
        ("a missing key", "[[fault]]\nwhen = { op = \"READ\" }\n"),
        (
            "several mistakes in one table",
            "[workload]\nqueue_depth = \"four\"\nblock = 4096\npattern = \"verfy\"\nrat = 5\n",
        ),
        (
            "mistakes in several tables",
            "[guest]\nimag = \"bookworm\"\n[[fault]]\nthen = { sense = \"6/29\" }\n[[step]]\nat = 1\nfail = \"controller A\"\n",
        ),
    ]));
}

#[test]
fn values() {
    snapshot!(all(&[
        ("a duration without unit", "limit = 30\n"),
        ("a duration without unit, in quotes", "limit = \"30\"\n"),
        ("a duration with a wrong unit", "limit = \"30 sec\"\n"),
        ("a size without unit", "[guest]\nmemory = 268435456\n"),
        ("a decimal size", "[guest]\nmemory = \"256MB\"\n"),
        ("no sense", "[[fault]]\nthen = { sense = \"unit attention\" }\n"),
        (
            "an unknown operation",
            "[[fault]]\nwhen = { op = \"MODE SELCT\" }\nthen = { lose = \"reply\" }\n"
        ),
        (
            "no controller",
            "[[fault]]\nwhen = { controller = \"a\" }\nthen = { lose = \"reply\" }\n"
        ),
        ("no port", "[[fault]]\nwhen = { port = \"A\" }\nthen = { lose = \"reply\" }\n"),
        ("no range", "[[fault]]\nwhen = { blocks = \"0-9\" }\nthen = { lose = \"reply\" }\n"),
        (
            "an empty range",
            "[[fault]]\nwhen = { matches = \"5..2\" }\nthen = { lose = \"reply\" }\n"
        ),
        ("no state", "[[fault]]\nwhen = { state = \"A sleeping\" }\nthen = { lose = \"reply\" }\n"),
        ("no part that can fail", "[[step]]\nat = \"1s\"\nfail = \"A\"\n"),
        ("no path", "[[step]]\nat = \"1s\"\nreinstate = \"sda\"\n"),
        ("no count", "[[expect]]\nrounds = \"about 3\"\n"),
        ("no compared duration", "[[expect]]\nio = { longest_stall = \"< 10\" }\n"),
        ("a compared duration without unit", "[[expect]]\nio = { longest_stall = 10 }\n"),
        ("no kernels", "[[expect]]\nrounds = 1\nknown = { kernel = \"old\", because = \"x\" }\n"),
        ("no status", "[[fault]]\nthen = { status = \"buzy\" }\n"),
    ]));
}

#[test]
fn the_file_itself() {
    let no_title = ARRAY;
    let no_array = "title = \"a story\"\n";
    snapshot!(format!(
        "# no title\n{}\n# no array\n{}\n{}",
        said(no_title, &[]),
        said(no_array, &[]),
        all(&[
            ("run_for after the limit", "limit = \"10s\"\nrun_for = \"20s\"\n"),
            ("run_for and settle", "run_for = \"20s\"\nsettle = \"1s\"\n"),
            ("no time at all", "limit = \"0s\"\n"),
        ])
    ));
}

#[test]
fn captured_pages() {
    let page = |personality: &str, keys: &str| {
        format!(
            "[array]\npersonality = \"{personality}\"\nluns = [{{ size = \"1MiB\", owner = \"A\" }}]\n\
             [[array.captured]]\n{keys}\n"
        )
    };
    let c8 = |length: u8| {
        let mut bytes = [0; 175];
        bytes[1] = 0xc8;
        bytes[3] = 171;
        bytes[89] = length;
        let hex: Vec<_> = bytes.iter().map(|byte: &u8| format!("{byte:02x}")).collect();
        hex.join("")
    };
    let crash = page("rdac", &format!("page = \"c8\"\nhex = \"{}\"", c8(17)));
    let standard =
        page("emc", &format!("page = \"standard\"\nhex = \"0000000023{}\"", "00".repeat(35)));
    let codes = page("rdac", &format!("page = \"00\"\nhex = \"00000021{}\"", "00".repeat(33)));
    snapshot!(all(&[
        ("no page", &page("rdac", "page = \"c\"\nhex = \"00\"")),
        ("no bytes", &page("rdac", "page = \"c9\"")),
        ("no hex", &page("rdac", "page = \"c9\"\nhex = \"00 c9 0x 00\"")),
        ("no file", &page("rdac", "page = \"c9\"\nfile = \"nowhere.hex\"")),
        ("another page", &page("rdac", "page = \"c9\"\nhex = \"00 c8 00 00\"")),
        ("cut", &page("rdac", "page = \"c9\"\nhex = \"00 c9 00 2c 76 61 63 31\"")),
        ("no header", &page("rdac", "page = \"c9\"\nhex = \"00\"")),
        ("too short", &page("rdac", "page = \"standard\"\nhex = \"00 00 05 12 00\"")),
        (
            "no such controller",
            &page("rdac", "page = \"d0\"\nhex = \"00 d0 00 00\"\ncontroller = \"C\"")
        ),
        ("a crash", &crash),
        ("no slack for the model", &standard),
        ("too many page codes", &codes),
    ]));
    let alua = |array: &str, keys: &str| page("alua", keys).replace("[[", &format!("{array}\n[["));
    // Relative target port 1 in group 256, as a disk says it.
    let id = "page = \"83\"\nhex = \"00830010 01140004 00000001 01150004 00000100\"";
    let groups = "page = \"rtpg\"\nhex = \"0000000c 80ff0001 00000001 00000001\"";
    let numbers =
        "relative_ports = { A0 = 1, A1 = 2, B0 = 3, B1 = 300 }\nalua = { first_group = 256 }";
    snapshot!(
        "captures_that_disagree",
        all(&[
            ("another port group", &alua("", &format!("{id}\nfrozen = true"))),
            ("another port", &alua(numbers, &format!("{id}\nfrozen = true"))),
            ("a group that is not told", &alua("", groups)),
            ("groups that are cut", &alua("", &groups.replace("0000000c", "0000001c"))),
            ("port 0", &alua("relative_ports = { A0 = 0 }", id)),
            ("one number for two ports", &alua("relative_ports = { A0 = 2 }", id)),
            ("a number for no port", &alua("relative_ports = { A7 = 9, x = 3 }", id)),
            (
                "a port in no group",
                &alua("alua = { groups = [{ group = 1, ports = [\"A0\"] }] }", id)
            ),
            (
                "a port in two groups",
                &alua(
                    "alua = { groups = [{ group = 1, ports = [\"A0\", \"A1\", \"B0\"] }, { group = 2, ports = [\"A0\", \"B1\"] }] }",
                    id
                )
            ),
            ("a company that is none", &alua("oui = \"00:60\"", id)),
        ])
    );
    for agreed in [
        alua("", id),
        alua("alua = { first_group = 256 }", &format!("{id}\nfrozen = true\nport = \"A0\"")),
    ] {
        assert_eq!(said(&scenario(&agreed), &[]), "");
    }
    // What comes behind the end that the length field gives is left out.
    let long = page("alua", "page = \"d0\"\nhex = \"00 d0 00 01 07 00 00 00\"");
    let long = sansim_language::load_text("long", &scenario(&long), &[]).unwrap();
    assert_eq!(long.setup.arrays[0].captured[0].bytes, [0, 0xd0, 0, 1, 7]);
    let forced = crash.replace("page = ", "force = true\npage = ");
    assert_eq!(said(&scenario(&forced), &[]), "");
    let sound = page("rdac", &format!("page = \"c8\"\nhex = \"{}\"", c8(16)));
    assert_eq!(said(&scenario(&sound), &[]), "");
}

#[test]
fn guest() {
    snapshot!(all(&[
        (
            "a table for multipathd",
            "[guest]\nmanager = \"multipathd\"\nmultipath = { pg_init_retries = 5 }\n",
        ),
        (
            "a udevd beside that of multipathd",
            "[guest]\nmanager = \"multipathd\"\nudev = \"lean\"\n",
        ),
        ("packages that are none", "[guest]\npackages = [\"FIO\", \"-o\", \"g++\"]\n"),
        ("no multipathd", "[guest]\nmultipathd = { udev = \"lean\" }\n"),
        (
            "two multipath.conf",
            "[guest]\nmanager = \"multipathd\"\nmultipathd = { conf = \"\", conf_file = \"a\" }\n",
        ),
        (
            "a multipath.conf that is not there",
            "[guest]\nmanager = \"multipathd\"\nmultipathd = { conf_file = \"nowhere.conf\" }\n",
        ),
        ("too many retries", "[guest]\nmultipath = { pg_init_retries = 51 }\n"),
        ("no retries", "[guest]\nmultipath = { pg_init_retries = 0 }\n"),
        ("too long a delay", "[guest]\nmultipath = { pg_init_delay = \"61s\" }\n"),
        ("too little memory", "[guest]\nmemory = \"64MiB\"\n"),
        ("too many processors", "[guest]\ncpus = 1000\n"),
        ("an image that is a path", "[guest]\nimage = \"../bookworm\"\n"),
        ("a parameter without module", "[guest.parameters]\nrdac_logging = \"15\"\n"),
        (
            "arguments for a handler without any",
            "[guest]\nmultipath = { handler_args = [\"1\"] }\n"
        ),
        (
            "arguments for no handler",
            "[guest]\nhandler = \"none\"\nmultipath = { handler_args = [\"1\"] }\n"
        ),
        ("an allowed line that is no regular expression", "[guest]\nallow = [\"WARNING (\"]\n"),
    ]));
}

#[test]
fn array_and_hbas() {
    let array = |rest: &str| format!("[array]\npersonality = \"rdac\"\n{rest}\n");
    let lun = "luns = [{ size = \"256MiB\", owner = \"A\" }]\n";
    let cases = [
        ("no LUN", array("luns = []")),
        ("an owner that is not there", array("luns = [{ size = \"1GiB\", owner = \"C\" }]")),
        (
            "a LUN twice",
            array(
                "luns = [{ size = \"1GiB\", owner = \"A\" }, { size = \"1GiB\", owner = \"A\", lun = 0 }]",
            ),
        ),
        ("a LUN out of range", array("luns = [{ size = \"1GiB\", owner = \"A\", lun = 256 }]")),
        ("part of a block", array("luns = [{ size = \"1000B\", owner = \"A\" }]")),
        ("odd blocks", array("luns = [{ size = \"1GiB\", owner = \"A\", block_size = \"1KiB\" }]")),
        ("too many controllers", array(&format!("controllers = 3\n{lun}"))),
        ("too long a vendor", array(&format!("vendor = \"Engenio Inc\"\n{lun}"))),
        ("an unknown personality", "[array]\npersonality = \"rdak\"\nluns = []\n".to_owned()),
        (
            "a LUN beyond the highest",
            array(
                "luns = [{ size = \"1GiB\", owner = \"A\", lun = 40 }]\nrdac = { max_luns = 16 }",
            ),
        ),
        (
            "a target that is not there",
            "[hba]\ntargets = [[\"A0\", \"B2\"], [\"A1\"]]\n".to_owned(),
        ),
        ("a target twice", "[hba]\ntargets = [[\"A0\", \"A0\"]]\n".to_owned()),
        ("an HBA without targets", "[hba]\ntargets = [[\"A0\"], []]\n".to_owned()),
        (
            "two LUNs under one number",
            array(
                "luns = [{ size = \"1GiB\", owner = \"A\" }, { size = \"1GiB\", owner = \"A\", mapping = [{ hba = 1, number = 0 }] }]",
            ),
        ),
        (
            "a mapping for nobody",
            array(
                "luns = [{ size = \"1GiB\", owner = \"A\", mapping = [{ hba = 0, port = \"A1\" }, { hba = 5 }] }]",
            ),
        ),
        (
            "a workload on a masked LUN",
            array("luns = [{ size = \"1GiB\", owner = \"A\", mapping = [] }]"),
        ),
        ("too few lists of targets", "[hba]\ncount = 3\ntargets = [[\"A0\"]]\n".to_owned()),
    ];
    let cases: Vec<_> = cases.iter().map(|(title, text)| (*title, text.as_str())).collect();
    snapshot!(all(&cases));
}

#[test]
fn workload() {
    snapshot!(all(&[
        ("a LUN that is not there", "[workload]\nlun = 3\n"),
        ("a region larger than the LUN", "[workload]\nregion = \"1GiB\"\n"),
        ("odd blocks", "[workload]\nblock = \"6KiB\"\n"),
        ("too many reads", "[workload]\nread_percent = 120\n"),
        ("too late a start", "limit = \"10s\"\n[workload]\nstart = \"1m\"\n"),
    ]));
}

#[test]
fn faults() {
    let fault =
        |when: &str, then: &str| format!("[[fault]]\nwhen = {{ {when} }}\nthen = {{ {then} }}\n");
    let cases = [
        ("two counts", fault("first = 2, nth = 3", "lose = \"reply\"")),
        ("counting from 0", fault("nth = 0", "lose = \"reply\"")),
        ("a range from 0", fault("matches = \"0..2\"", "lose = \"reply\"")),
        ("two answers", fault("op = \"READ\"", "sense = \"06/29/00\", status = \"busy\"")),
        ("lost and held", fault("op = \"READ\"", "lose = \"reply\", delay = \"1s\"")),
        ("nothing happens", fault("op = \"READ\"", "")),
        ("a controller that is not there", fault("controller = \"C\"", "lose = \"reply\"")),
        ("a port that is not there", fault("port = \"A5\"", "lose = \"reply\"")),
        ("a port of another controller", fault("controller = \"A\", port = \"B0\"", "lose = \"reply\"")),
        ("an HBA that is not there", fault("hba = 2", "lose = \"reply\"")),
        ("a LUN that is not there", fault("lun = 3", "lose = \"reply\"")),
        ("an end before the beginning", fault("from = \"5s\", until = \"5s\"", "lose = \"reply\"")),
        ("times outside the story", fault("from = \"5s\", stage = \"any\"", "lose = \"reply\"")),
        ("a hold that is never released", fault("op = \"READ\"", "hold = \"gate\"")),
        (
            "a name twice",
            "[[fault]]\nname = \"slow\"\nthen = { delay = \"1s\" }\n[[fault]]\nname = \"slow\"\nthen = { delay = \"2s\" }\n".to_owned(),
        ),
    ];
    let cases: Vec<_> = cases.iter().map(|(title, text)| (*title, text.as_str())).collect();
    snapshot!(all(&cases));
}

#[test]
fn steps() {
    let step = |text: &str| format!("[[step]]\n{text}\n");
    let cases = [
        ("no time", step("fail = \"controller A\"")),
        ("a time and an event", step("at = \"1s\"\non = { log = \"x\" }\nend = true")),
        ("after a time", step("at = \"1s\"\nafter = \"1s\"\nend = true")),
        ("no event", step("on = {}\nend = true")),
        ("two events", step("on = { log = \"x\", pg_init = 2 }\nend = true")),
        ("no action", step("at = \"1s\"")),
        ("two actions", step("at = \"1s\"\nfail = \"controller A\"\nrestore = \"controller B\"")),
        ("after the end", step("at = \"10m\"\nend = true")),
        ("a controller that is not there", step("at = \"1s\"\nfail = \"controller C\"")),
        ("a fault that is not there", "[[fault]]\nname = \"slow\"\nthen = { delay = \"1s\" }\n[[step]]\nat = \"1s\"\narm = \"slwo\"\n".to_owned()),
        ("a hold that is not there", step("at = \"1s\"\nrelease = \"gate\"")),
        ("a step that is not there", step("on = { step = \"boot\" }\nend = true")),
        ("a step that waits for itself", step("on = { step = \"step-1\" }\nend = true")),
        ("no unit attention", step("at = \"1s\"\nunit_attention = { sense = \"05/24/00\" }")),
        ("a port beside its controller", step("at = \"1s\"\nunit_attention = { sense = \"06/29/00\", controller = \"A\", port = \"A0\" }")),
        ("nobody to hear of it", step("at = \"1s\"\nunit_attention = { sense = \"06/29/00\", hba = 0, port = \"A1\" }")),
        ("a notice of nothing", step("at = \"1s\"\nunmap = 0\nnotice = {}")),
        ("a notice that is no unit attention", step("at = \"1s\"\nunmap = 0\nnotice = { sense = \"05/25/00\" }")),
        ("no notice that there is", step("at = \"1s\"\nunmap = 0\nnotice = \"silent\"")),
        ("a notice of something else", step("at = \"1s\"\nfail = \"controller A\"\nnotice = \"none\"")),
        ("a name that is no name", step("at = \"1s\"\nidentity = { lun = 0, wwid = \"5000c500\" }")),
        ("a number that no LUN has", step("at = \"1s\"\nunmask = { lun = 0, number = 256 }")),
        ("an event with too much", step("at = \"1s\"\nevent = { lun = 0, tells = \"added\", sense = \"06/2a/09\" }")),
        ("a path that nothing goes over", step("at = \"1s\"\nreinstate = \"hba0:A1\"")),
        ("no program", step("at = \"1s\"\nrun = []")),
        ("a wrong placeholder", step("at = \"1s\"\nrun = [\"sg_turs\", \"{disc:A0}\"]")),
        ("a placeholder of no path", step("at = \"1s\"\nrun = [\"sg_turs\", \"{disk:A0:lun7}\"]")),
        ("a relative path", step("at = \"1s\"\nwrite = { path = \"sys/x\", text = \"1\" }")),
        ("an unknown message", step("at = \"1s\"\nmessage = \"swich_group 2\"")),
        ("no name of a process", step("at = \"1s\"\nsignal = { to = \"-1\", is = \"KILL\" }")),
        ("a timeout of nothing", step("at = \"1s\"\ntimeout = \"1s\"\nend = true")),
        ("no end", step("at = \"1s\"\nend = false")),
        ("a workload on a LUN that is not there", step("at = \"1s\"\nstart = { lun = 3 }")),
        ("a workload without I/O", step("at = \"1s\"\nstart = { pattern = \"none\" }")),
        ("a workload that starts later than its step", step("at = \"1s\"\nstart = { start = \"2s\" }")),
        ("a caption without text", step("at = \"1s\"\ncaption = \" \"\nend = true")),
        ("a new LUN without number", step("at = \"1s\"\nmap = { size = \"1GiB\", owner = \"A\" }")),
    ];
    let cases: Vec<_> = cases.iter().map(|(title, text)| (*title, text.as_str())).collect();
    snapshot!(all(&cases));
}

#[test]
fn expectations() {
    let expect = |text: &str| format!("[[expect]]\n{text}\n");
    let cases = [
        ("nothing", expect("by = \"1s\"")),
        ("two times", expect("by = \"1s\"\nat = \"2s\"\nrounds = 1")),
        ("after the end", expect("by = \"200s\"\nrounds = 1")),
        ("a controller that is not there", expect("owner = { lun = 0, controller = \"D\" }")),
        ("a LUN that is not there", expect("owner = { lun = 3, controller = \"A\" }")),
        ("an operation that is not there", expect("commands = [{ op = \"MODESELECT\", at_least = 3 }]")),
        ("a fault that is not there", expect("fault = { name = \"slow\", fired = 1 }")),
        ("a step that runs nothing", "[[step]]\nname = \"crash\"\nat = \"1s\"\nfail = \"controller A\"\n[[expect]]\nran = { step = \"crash\", code = 0 }\n".to_owned()),
        ("no limit", expect("io = {}")),
        ("no number of paths", expect("paths = {}")),
        ("two numbers at once", expect("commands = [{ op = \"READ\", exactly = 2, at_least = 3 }]")),
        ("a number that is none", expect("rounds = \">= 4, < 3\"")),
        ("no workload", "[workload]\npattern = \"none\"\n[[expect]]\nio = { errors = 0 }\n".to_owned()),
        ("no text", expect("log = { count = 2 }")),
        ("no regular expression", expect("log = { matches = \"[a\" }")),
        ("rounds at another end", expect("by = \"3s\"\nrounds_at_end = 2")),
        ("a path that is not there", expect("path = { port = \"A0\", hba = 1, state = \"failed\" }")),
        ("never false", expect("never = false\nrounds = 9")),
        ("any number", expect("commands = { op = \"READ\", at_least = 0 }")),
        ("any total", expect("io = { errors = \">= 0\" }")),
        ("any number of paths", expect("paths = { failed = \"<= 4\" }")),
        ("any text", expect("log = [{ contains = \"\" }, { matches = \".*\" }]")),
        ("any exit code", format!("{ASK}[[expect]]\nran = {{ step = \"ask\", code = \"0..255\" }}\n")),
        ("a signal that is none, and a code of what was killed", format!("{ASK}[[expect]]\nran = [{{ step = \"ask\", killed_by = \"SEGF\" }}, {{ step = \"ask\", code = 1, killed_by = \"KILL\" }}]\n")),
        ("a map that is not there has no name", expect("map = { exists = false, name = \"lun0\" }")),
        ("any number of disks", expect("disks = \"<= 4\"")),
        ("no version", expect("kernel = \">= 6.7, < 6.1\"\nrounds = 1")),
        ("met at the beginning", expect("by = \"65s\"\npaths = { active = 4 }\nowner = { lun = 0, controller = \"A\" }")),
        ("after a time", format!("{ASK}{}", expect("at = \"5s\"\nafter = \"ask\"\nrounds = 1"))),
        ("after a step that is not there", expect("by = \"5s\"\nafter = \"aks\"\nrounds = 1")),
        ("after the last step", "[[step]]\nname = \"last\"\nat = \"9s\"\nend = true\n[[expect]]\nnever = true\nafter = \"last\"\nrounds = 2\n".to_owned()),
        ("again at the end", expect("again = true\nrounds = 1")),
        ("known without a symptom", expect("rounds = 1\nknown = { kernel = \"< 6.7\", because = \"x\" }")),
        ("an empty symptom", expect("rounds = 1\nknown = { kernel = \"< 6.7\", because = \"x\", seen = {} }")),
        ("a symptom of something else", expect("rounds = 1\nknown = { kernel = \"< 6.7\", because = \"x\", seen = { owner = { lun = 0, controller = \"A\" } } }")),
    ];
    let cases: Vec<_> = cases.iter().map(|(title, text)| (*title, text.as_str())).collect();
    snapshot!(all(&cases));
}

#[test]
fn the_command_line() {
    let text = scenario("[[fault]]\nname = \"slow\"\nthen = { delay = \"1s\" }\n");
    let one = |set: &str| {
        let said = said(&text, &[set.parse().unwrap()]);
        assert!(!said.is_empty(), "{set}: nothing is wrong with it");
        format!("# {set}\n{said}\n")
    };
    let sets = [
        "guest.imgae=trixie",
        "guest.cpus=many",
        "limit=30",
        "array.luns.0.owner=C",
        "array.luns.1.owner=B",
        "fault.fast.then.delay=5s",
        "fault.slow.then={ delay = \"5s\", lose = \"reply\" }",
        "title.length=3",
    ];
    snapshot!(sets.map(one).concat());
}

#[test]
fn rules_that_can_never_catch_anything() {
    let rule =
        |when: &str, then: &str| format!("[[fault]]\nwhen = {{ {when} }}\nthen = {{ {then} }}\n");
    let lose = "lose = \"reply\"";
    let refused = "function = \"rejected\"";
    let cases = [
        ("a page of another operation", rule("op = \"READ\", page = \"c9\"", lose)),
        ("no page", rule("page = \"vpd\"", lose)),
        ("blocks of none", rule("op = \"MODE SELECT\", blocks = \"0..9\"", lose)),
        ("two states at once", rule("state = \"A failed, A online\"", lose)),
        ("a dead controller", rule("controller = \"A\", state = \"A failed\"", lose)),
        ("a port of a dead controller", rule("port = \"B0\", state = \"B removed\"", lose)),
        ("a port that the HBA does not see", rule("hba = 0, port = \"A1\"", lose)),
        ("a write that is stale", rule("op = \"WRITE\"", "corrupt = \"stale-read\"")),
        ("a read that is dropped", rule("op = \"READ\"", "corrupt = \"dropped-write\"")),
        ("a bit of nothing", rule("op = \"TEST UNIT READY\"", "corrupt = \"bit-flip\"")),
        ("a short write", rule("op = \"WRITE\"", "short = \"512B\"")),
        ("an unknown function", rule("task_management = \"TARGET RESET\"", refused)),
        (
            "a function with an operation",
            rule("task_management = \"ABORT TASK\", op = \"READ\"", refused),
        ),
        ("a function that waits", rule("task_management = \"any\"", "hold = \"h\"")),
        ("a command that is answered like a function", rule("op = \"READ\"", refused)),
    ];
    let cases: Vec<_> = cases.iter().map(|(title, rule)| (*title, &**rule)).collect();
    snapshot!(all(&cases));
}

#[test]
fn ownership() {
    let array = |ownership: &str| {
        format!(
            "[array]\npersonality = \"alua\"\nalua = {{ non_owner = \"standby\" }}\n\
             luns = [{{ size = \"1MiB\", owner = \"A\" }}]\nownership = {{ {ownership} }}\n"
        )
    };
    let (always, io) = (array("ping_pong = \"0s\""), array("follow_io = 10"));
    let unknown = array("fail_back = \"3s\"");
    snapshot!(all(&[
        ("all the time", &always),
        ("I/O that is refused", &io),
        ("another word", &unknown),
        ("a split of a LUN that is not there", "[[step]]\nat = \"1s\"\nsplit = { lun = 3 }\n"),
        ("a port that is not there", "[[step]]\nat = \"1s\"\nunplug = \"A7\"\n"),
    ]));
}

/// What makes a verdict mean nothing. A lab takes these scenarios.
#[test]
fn scenarios_that_test_nothing() {
    let owned = "[[expect]]\nowner = { lun = 0, controller = \"A\" }\n";
    let end = "[[step]]\nat = \"1s\"\nend = true\n";
    let cases = [
        ("nothing is expected", String::new()),
        ("nothing is done", "[[expect]]\nnever = true\nlog = { contains = \"zzzz\" }\n".to_owned()),
        (
            "nothing is done, and counts are of none",
            format!("{end}[[expect]]\ncommands = {{ op = \"MODE SELECT\", exactly = 0 }}\n"),
        ),
        (
            "a step after the end",
            format!("{end}{owned}[[step]]\nat = \"2s\"\nfail = \"controller A\"\n"),
        ),
        ("a window after the end", format!("{end}[[expect]]\nat = \"3s\"\nrounds = 1\n")),
        (
            "before the workload",
            "[workload]\nstart = \"50s\"\n[[expect]]\nat = \"1s\"\nio = { errors = 0 }\n"
                .to_owned(),
        ),
    ];
    let one = |(title, tables): &(&str, String)| {
        let scenario = load_text("story.toml", &scenario(tables), &[]).unwrap();
        assert!(scenario.untested.has_errors(), "{title}");
        let rendered = scenario.untested.render(80, false);
        let said: String = rendered.lines().map(|line| format!("{}\n", line.trim_end())).collect();
        format!("# {title}\n{said}\n")
    };
    snapshot!(cases.iter().map(one).collect::<String>());
}

#[test]
fn scenarios_that_test_something() {
    for tables in [
        "[[expect]]\nowner = { lun = 0, controller = \"A\" }\n",
        "[[expect]]\nio = { errors = 0 }\n",
        "[[expect]]\ncommands = { op = \"INQUIRY\", stage = \"discovery\", at_most = 9 }\n",
        "[[step]]\nat = \"1s\"\nfail = \"controller A\"\n[[expect]]\nnever = true\nrounds = 2\n",
        "[[step]]\nat = \"1s\"\nend = true\n[[step]]\nat = \"2s\"\noptional = true\nfail = \"controller A\"\n\
         [[expect]]\nowner = { lun = 0, controller = \"A\" }\n",
        "[[step]]\nname = \"s\"\nat = \"1s\"\nfail = \"controller A\"\n\
         [[expect]]\nby = \"9s\"\nafter = \"s\"\nagain = true\npaths = { active = 4 }\n",
    ] {
        let scenario =
            load_text("t", &scenario(tables), &[]).unwrap_or_else(|wrong| panic!("{wrong}"));
        assert!(scenario.untested.is_empty(), "{tables}: {}", scenario.untested);
        assert!(scenario.warnings.is_empty(), "{tables}: {}", scenario.warnings);
    }
}
