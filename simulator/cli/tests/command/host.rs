//! A host that runs short, a guest that takes too much, signals and streams that break, hostile text.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    process::{Command, Stdio},
};

use crate::{
    guest::STORY,
    place::{Place, start, summary, text, wait_for},
};

/// A step with a program of the guest, and an expectation that keeps the story going.
fn with_program(argv: &str) -> String {
    format!("{STORY}\n[[step]]\nname = \"p\"\nat = \"300ms\"\nrun = {argv}\n")
}

/// The command within limits of a shell's `ulimit`.
fn limited(place: &Place, limits: &str, file: &std::path::Path) -> Command {
    let run = place.run(file);
    let command = place.sansim();
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{limits}; exec \"$@\""), "sh"]).arg(command.get_program());
    shell.args(run.get_args()).stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        shell.env(name, value.unwrap_or_default());
    }
    shell
}

#[test]
fn a_host_with_too_few_descriptors_or_too_little_address_space_says_so() {
    let place = Place::new();
    let file = place.scenario(STORY);
    for (limits, what) in
        [("ulimit -n 32", "file descriptors"), ("ulimit -v 1500000", "bytes of address space")]
    {
        let output = limited(&place, limits, &file).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{limits}: {}", text(&output));
        let said = text(&output);
        assert!(said.contains("a run needs") && said.contains(what), "{limits}: {said}");
    }
}

#[test]
fn a_soft_limit_of_descriptors_is_raised_and_fewer_jobs_are_started_than_were_asked_for() {
    let place = Place::new();
    let file = place.scenario(STORY);
    let output = limited(&place, "ulimit -Sn 32", &file).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let mut two = limited(&place, "ulimit -n 150", &file);
    let output = two.args(["--repeat", "2", "--jobs", "2"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("1 of 2 jobs at a time"), "{}", text(&output));
}

#[test]
fn a_guest_that_spins_or_floods_its_console_reaches_the_bound_of_the_hosts_time() {
    for argv in [
        "['perl', '-e', '1 while 1']",
        "['dd', 'if=/dev/zero', 'of=/dev/ttyS0', 'bs=64k', 'count=100000']",
    ] {
        let place = Place::new();
        let file = place.scenario(&format!("run_for = \"100s\"\n{}", with_program(argv)));
        let output = place.run(&file).args(["--host-timeout", "20s"]).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{argv}: {}", text(&output));
        let summary = summary(&place);
        assert_eq!(summary["verdict"], "error");
        let reason = summary["reason"].as_str().unwrap();
        assert!(reason.contains("more than 20 s of the host's time"), "{reason}");
        assert!(place.out().join("latest/console.log").is_file());
        wait_for("QEMU to be gone", || place.qemus().is_empty());
        assert!(place.left_over().is_empty());
    }
}

#[test]
fn a_lun_has_the_memory_that_the_scenario_gives_it() {
    let fill = "['perl', '-e', 'use IO::Handle; open(F, q(>), q({disk:A0})) or die; \
                my $x = q(y) x 1048576; for (1..32) { syswrite(F, $x) or exit 7; } F->sync or exit 8;']";
    let sized = |key: &str| {
        let array = format!("[array]\n{key}\n");
        let story = STORY.replace("[array]\n", &array);
        let story = story.split("[[step]]").next().unwrap().to_owned();
        format!(
            "{story}[workload]\npattern = \"none\"\n[[step]]\nname = \"p\"\nat = \"300ms\"\noptional = true\nrun = {fill}\n\
             [[expect]]\nowner = {{ lun = 0, controller = \"A\" }}\n"
        )
    };
    let events = |key: &str, code: i32| {
        let place = Place::new();
        let output =
            place.run(&place.scenario(&sized(key))).args(["--seed", "1"]).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{key}: {}", text(&output));
        (fs::read_to_string(place.out().join("latest/events.ndjson")).unwrap(), summary(&place))
    };
    let (space, _) = events("memory = \"8MiB\"", 0);
    assert!(space.contains("07/27/07"), "no write has failed for lack of space");
    assert_eq!(space, events("memory = \"8MiB\"", 0).0, "the same memory, another story");
    let (_, summary) = events("memory = \"8MiB\"\nwhen_full = \"end\"", 3);
    assert!(summary["reason"].as_str().unwrap().contains("full at 8388608 bytes"), "{summary}");
}

#[test]
fn a_signal_to_the_process_and_then_to_its_group_is_one_interruption() {
    let place = Place::new();
    let file = place.scenario(&format!("run_for = \"100000s\"\nlimit = \"100001s\"\n{STORY}"));
    let mut command = place.run(&file);
    command.process_group(0);
    let child = start(command, &place.out());
    let pid = child.id();
    let script = format!("kill -TERM {pid}; kill -TERM -{pid}");
    assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", text(&output));
    assert!(text(&output).contains("nothing is left running"), "{}", text(&output));
    assert!(place.qemus().is_empty() && place.left_over().is_empty());
}

#[test]
fn an_output_that_cannot_be_written_never_panics_and_is_told_by_the_exit_code() {
    let place = Place::new();
    let file = place.scenario(STORY);
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let check = |arguments: &[&str]| {
        let mut command = place.sansim();
        command.args(arguments);
        if arguments == ["check"] {
            command.arg(&file);
        }
        command
    };
    for arguments in [&["check"][..], &["schema"], &["model", "list"], &["image", "list"]] {
        let output = check(arguments).stdout(full()).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {}", text(&output));
        assert!(text(&output).contains("cannot write to standard output"), "{arguments:?}");
        let status = check(arguments).stdout(full()).stderr(full()).status().unwrap();
        assert_eq!(status.code(), Some(3), "{arguments:?}");
        let mut child =
            check(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop((child.stdout.take(), child.stderr.take()));
        assert_eq!(child.wait().unwrap().code(), Some(0), "{arguments:?} to a closed pipe");
    }
    let junit = place.path().join("junit.xml");
    let mut run = place.run(&file);
    run.arg("--json").arg("--junit").arg(&junit).stdout(full());
    let output = run.output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(fs::read_to_string(junit).unwrap().contains("</testsuites>"));
    assert_eq!(summary(&place)["verdict"], "pass");
}

#[test]
fn escape_sequences_of_files_and_guests_reach_no_terminal_and_no_report() {
    let place = Place::new();
    let story = STORY.replace("a controller is lost", "\\u001b[2Jx\\u202e\\uFFFE<b>");
    let argv =
        "['perl', '-e', 'print chr(27), q([2J), chr(7), chr(0xef), chr(0xbf), chr(0xbe); exit 3']";
    let file = place.scenario(&format!(
        "{story}\n[[step]]\nname = \"p\"\nat = \"300ms\"\nrun = {argv}\n[[expect]]\nran = {{ step = \"p\", code = 0 }}\n"
    ));
    let reports = ["j.xml", "t.md"].map(|name| place.path().join(name));
    let mut run = place.run(&file);
    run.args(["--color", "always", "--verbose", "--junit"])
        .arg(&reports[0])
        .arg("--table")
        .arg(&reports[1]);
    let output = run.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let hostile = |text: &str| {
        let bare = text.replace("\u{1b}[", "\u{1}");
        // Colours of our own have only digits, and end in `m`.
        let colours = bare.split('\u{1}').skip(1).all(|rest| {
            rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').starts_with('m')
        });
        !colours || bare.contains(['\u{1b}', '\u{7}', '\u{202e}', '\u{fffe}'])
    };
    for stream in [&output.stdout, &output.stderr] {
        assert!(!hostile(&String::from_utf8_lossy(stream)), "{}", text(&output));
    }
    for report in reports.into_iter().chain([place.out().join("latest/report.html")]) {
        let written = fs::read_to_string(&report).unwrap();
        assert!(!written.contains(['\u{1b}', '\u{7}', '\u{202e}', '\u{fffe}']), "{written}");
    }
}
