use proptest::prelude::*;

use super::*;
use crate::{Vocabulary, fault::effects, load_text};

const SAN: &str = r#"
title = "a SAN that runs"

[[array]]
name = "east"
personality = "alua"
luns = [{ size = "256MiB", owner = "A" }, { size = "64MiB", owner = "B", lun = 5 }]

[[array]]
name = "west"
personality = "alua"

[[fault]]
name = "not ready"
when = { op = "TEST UNIT READY" }
then = { hold = "gate" }

[[step]]
name = "ask"
at = "1s"
run = ["true"]
"#;

fn vocabulary() -> Vocabulary {
    Vocabulary::of(&load_text("san", SAN, &[]).unwrap())
}

fn words(line: &str) -> Vec<String> {
    split(line).unwrap()
}

/// Says a step, hears it again, and returns what was said.
fn there_and_back(lab: &Vocabulary, text: &str) -> String {
    let meant = lab.step(text).unwrap_or_else(|wrong| panic!("{text}: {wrong}")).value;
    let said = of_step(&meant);
    let heard = step(&words(&said)).unwrap_or_else(|wrong| panic!("{said}: {wrong}"));
    let again = lab.step(&heard).unwrap_or_else(|wrong| panic!("{said}: {heard}: {wrong}")).value;
    assert_eq!(again.action, meant.action, "{text} is {said}, which is {heard}");
    let short = lab.step(&step_toml(&meant)).unwrap_or_else(|wrong| panic!("{wrong}")).value;
    assert_eq!(short.action, meant.action, "{text}");
    said
}

#[test]
fn every_step_is_said_and_heard_again() {
    let lab = vocabulary();
    let said = step::actions().map(|(_, example)| there_and_back(&lab, example));
    let more = [
        r#"link = { port = "A0", flap = { every = "1s", times = 5 } }"#,
        r#"message = "switch_group 2"
           lun = 5"#,
        r#"message = "fail_path lun=5 --""#,
        r#"run = ["env", "timeout=5s", "name=x", "--", "", "it's", "a\\b\n"]
           timeout = "5s""#,
        r#"arm = "not ready""#,
        r#"write = { path = "/sys/x", text = "a=b 'c'\n" }"#,
        r#"phases = { controller = "A", through = [{ state = "booting", lasts = "30s" }, { state = "upgrading", lasts = "1m" }], last = "failed" }"#,
        r#"port_group = { lun = 5, group = 1 }"#,
        r#"reinstate = "all""#,
        r#"stop = "workload"
           lun = 5"#,
        r#"start = {}"#,
        r#"set = { controller = "A", state = "quiescing" }"#,
    ];
    let more = more.into_iter().map(|text| there_and_back(&lab, text));
    insta::assert_snapshot!(said.chain(more).collect::<Vec<_>>().join("\n"));
}

#[test]
fn every_effect_is_said_and_heard_again() {
    let lab = vocabulary();
    let mut all = Vec::new();
    for (keys, example) in effects() {
        let when = match keys[0].key {
            "function" => "task_management = \"any\"",
            _ => "op = \"READ\", controller = \"B\", first = 2",
        };
        all.push(format!("when = {{ {when} }}, then = {{ {example} }}"));
    }
    all.push("then = { delay = { from = \"1ms\", to = \"20ms\" } }, armed = false".to_owned());
    all.push("when = { state = \"A quiescing, B online\", chance = 0.25 }, then = { sense = \"02/04/0a\", delay = { mean = \"5ms\" } }".to_owned());
    let said = all.iter().map(|text| {
        let meant = lab.fault(text).unwrap_or_else(|wrong| panic!("{text}: {wrong}")).value;
        let said = of_fault(&meant);
        let heard = fault(&words(&said)).unwrap_or_else(|wrong| panic!("{said}: {wrong}"));
        let again = lab.fault(&heard).unwrap_or_else(|wrong| panic!("{said}: {heard}: {wrong}"));
        assert_eq!(again.value, meant, "{said}");
        let short = lab.fault(&fault_toml(&meant)).unwrap_or_else(|wrong| panic!("{wrong}"));
        assert_eq!(short.value, meant);
        format!("{said}\n    {}", fault_words(&meant))
    });
    insta::assert_snapshot!(said.collect::<Vec<_>>().join("\n"));
}

#[test]
fn every_condition_can_be_said() {
    let lab = vocabulary();
    let keys = expect::keys();
    let said = expect::conditions().map(|(_, example)| {
        let meant = lab.expectation(example).unwrap_or_else(|wrong| panic!("{example}: {wrong}"));
        let table = toml::de::DeTable::parse(example).unwrap().into_inner();
        let Plain::Table(table) = inline::plain(&toml::de::DeValue::Table(table)) else { panic!() };
        let said = arguments::line(&say::several(&keys, &table));
        let heard = expectation(&words(&said)).unwrap_or_else(|wrong| panic!("{said}: {wrong}"));
        let again = lab.expectation(&heard).unwrap_or_else(|wrong| panic!("{said}: {wrong}"));
        assert_eq!(again.value.to_string(), meant.value.to_string(), "{said}");
        said
    });
    insta::assert_snapshot!(said.collect::<Vec<_>>().join("\n"));
}

#[test]
fn people_say_it_in_many_ways() {
    let lab = vocabulary();
    for (said, meant) in [
        ("fail controller A", r#"fail = "controller A""#),
        ("fail='controller A'", r#"fail = "controller A""#),
        ("link down A0 hba0", r#"link = { up = false, port = "A0", hba = 0 }"#),
        ("link up A0", r#"link = { up = true, port = "A0" }"#),
        ("link up hba0:A0", r#"link = { up = true, hba = 0, port = "A0" }"#),
        ("link port=A0 hba=0 up=false", r#"link = { port = "A0", hba = 0, up = false }"#),
        (
            "link A0 flap.every=1s flap.times=5",
            r#"link = { port = "A0", flap = { every = "1s", times = 5 } }"#,
        ),
        (
            "link A0 flap every 1s times 5",
            r#"link = { port = "A0", flap = { every = "1s", times = 5 } }"#,
        ),
        ("link A0 flap 1s 5", r#"link = { port = "A0", flap = { every = "1s", times = 5 } }"#),
        ("own lun 0 controller B", r#"own = { lun = 0, controller = "B" }"#),
        ("own lun=0 controller=B", r#"own = { lun = 0, controller = "B" }"#),
        ("own lun0 B", r#"own = { lun = 0, controller = "B" }"#),
        ("own 0 B", r#"own = { lun = 0, controller = "B" }"#),
        ("split lun 0", r#"split = { lun = 0 }"#),
        ("split lun 0 data", r#"split = { lun = 0, apart = "data" }"#),
        ("heal lun 0", "heal = 0"),
        ("heal lun0", "heal = 0"),
        ("resize lun 0 64MiB", r#"resize = { lun = 0, size = "64MiB" }"#),
        ("reset-hba 1", "reset_hba = 1"),
        ("reset_hba hba1", "reset_hba = 1"),
        ("unplug port A0", r#"unplug = "A0""#),
        ("map 64MiB A lun 7", r#"map = { size = "64MiB", owner = "A", lun = 7 }"#),
        ("remap 0 to 9", "remap = { lun = 0, to = 9 }"),
        ("set A quiescing", r#"set = { controller = "A", state = "quiescing" }"#),
        (
            "phases A booting 30s upgrading 1m last=failed",
            r#"phases = { controller = "A", through = [{ state = "booting", lasts = "30s" }, { state = "upgrading", lasts = "1m" }], last = "failed" }"#,
        ),
        ("port_group 2 standby", r#"port_group = { group = 2, state = "standby" }"#),
        (
            "message switch_group 2 lun=5 name=x",
            r#"message = "switch_group 2", lun = 5, name = "x""#,
        ),
        ("reinstate A0 lun 5", r#"reinstate = "A0", lun = 5"#),
        ("signal STOP multipathd", r#"signal = { is = "STOP", to = "multipathd" }"#),
        ("run sg_turs '{disk:A0}' timeout=5s", r#"run = ["sg_turs", "{disk:A0}"], timeout = "5s""#),
        ("start lun 5 read rate 50", r#"start = { lun = 5, pattern = "read", rate = 50 }"#),
        ("stop workload lun 5", r#"stop = "workload", lun = 5"#),
        (
            "unit_attention 06/29/00 hba0:A0 lun 0",
            r#"unit_attention = { sense = "06/29/00", hba = 0, port = "A0", lun = 0 }"#,
        ),
        ("read_only 0 false", "read_only = { lun = 0, read_only = false }"),
        ("end", "end = true"),
    ] {
        let heard = step(&words(said)).unwrap_or_else(|wrong| panic!("{said}: {wrong}"));
        assert_eq!(heard, meant, "{said}");
        lab.step(&heard).unwrap_or_else(|wrong| panic!("{said}: {wrong}"));
    }
    for (said, meant) in [
        (
            "when op=\"MODE SELECT\" controller=B first=2 then sense=06/2a/01",
            r#"when = { op = "MODE SELECT", controller = "B", first = 2 }, then = { sense = "06/2a/01" }"#,
        ),
        (
            "name=x when op MODE SELECT controller B then fail controller A",
            r#"name = "x", when = { op = "MODE SELECT", controller = "B" }, then = { fail = "controller A" }"#,
        ),
        ("op=READ then delay 1s", r#"when = { op = "READ" }, then = { delay = "1s" }"#),
        ("then link down A0", r#"then = { link = { up = false, port = "A0" } }"#),
    ] {
        let heard = fault(&words(said)).unwrap_or_else(|wrong| panic!("{said}: {wrong}"));
        assert_eq!(heard, meant, "{said}");
        lab.fault(&heard).unwrap_or_else(|wrong| panic!("{said}: {wrong}"));
    }
    for (said, meant) in [
        ("owner lun=0 controller=B", r#"owner = { lun = 0, controller = "B" }"#),
        ("paths active=4 failed=0 lun=5", r#"paths = { active = 4, failed = 0 }, lun = 5"#),
        (
            "by=30s owner 0 B and owner 5 A; paths active=2",
            r#"by = "30s", owner = [{ lun = 0, controller = "B" }, { lun = 5, controller = "A" }], paths = { active = 2 }"#,
        ),
        ("rounds >= 3 by 10s", r#"rounds = ">= 3", by = "10s""#),
    ] {
        let said = said.replace(';', " ';'").replace(">=", "'>='");
        let heard = expectation(&words(&said)).unwrap_or_else(|wrong| panic!("{said}: {wrong}"));
        assert_eq!(heard, meant, "{said}");
        lab.expectation(&heard).unwrap_or_else(|wrong| panic!("{said}: {wrong}"));
    }
}

#[test]
fn what_cannot_be_understood_is_told() {
    let tell = |heard: Result<String, Diagnostics>| {
        format!(
            "{}\n",
            heard.map_or_else(|wrong| wrong.to_string(), |toml| format!("heard as {toml}"))
        )
    };
    let steps = [
        "",
        "fial controller A",
        "fail",
        "link sideways",
        "own lun=0 lun=1",
        "own lun=0 to=B",
        "heal 0 1",
        "fail.x=1",
        "stop workload lun",
        "fail controller",
    ];
    let told = steps.iter().map(|said| format!("{said}\n{}", tell(step(&words(said)))));
    let faults = ["", "when op=READ", "then", "when oops=1 then delay=1s", "then sens=1"];
    let told =
        told.chain(faults.iter().map(|said| format!("{said}\n{}", tell(fault(&words(said))))));
    let told = told.chain([format!("owners 0 B\n{}", tell(expectation(&words("owners 0 B"))))]);
    insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"));
}

#[test]
fn the_next_word_is_offered() {
    let lab = vocabulary();
    let next = |said: &str| {
        let offered: Vec<_> = complete(&words(said), &lab).into_iter().map(|it| it.value).collect();
        offered.join(" ")
    };
    assert_eq!(next("fail"), "controller array witness");
    assert_eq!(next("fail controller"), "A B C D");
    assert_eq!(next("heal lun"), "0 5");
    let said = [
        "",
        "fail",
        "link",
        "link down",
        "link down A0",
        "link down port",
        "link down port=",
        "own",
        "own 0",
        "own lun",
        "split",
        "heal",
        "arm",
        "release",
        "plug",
        "reinstate",
        "reinstate A0",
        "signal",
        "start",
        "stop",
        "condition 0",
        "port_group",
        "phases A",
        "run",
        "when",
        "when controller",
        "when controller=",
        "when controller=B",
        "then",
        "then link",
        "then hold=x",
        "expect",
        "expect owner",
        "expect owner 0 B",
        "expect ran",
        "no_such_word",
    ];
    let all = said.iter().map(|said| format!("{said}> {}", next(said)));
    insta::assert_snapshot!(all.collect::<Vec<_>>().join("\n"));
}

/// Words that mean something in some place, and others.
fn any_word() -> impl Strategy<Value = String> {
    let known = [
        "fail",
        "controller",
        "A",
        "link",
        "down",
        "A0",
        "hba0",
        "hba0:A0",
        "flap",
        "every=1s",
        "flap.times=5",
        "phases",
        "booting",
        "30s",
        "own",
        "lun=0",
        "lun",
        "0",
        "run",
        "--",
        "then",
        "when",
        "op=READ",
        "delay",
        "from=1ms",
        "and",
        ";",
        "owner",
        "owner.lun=0",
        "link=",
        "=",
        ".",
        "a.b.c=1",
        "map=[",
        "map={lun=1}",
        "through=[{}]",
        "start",
        "end",
        "unit_attention",
        "message",
        "name=x",
        "true",
        "",
    ];
    prop_oneof![4 => proptest::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => any::<String>()]
}

proptest! {
    #[test]
    fn whatever_is_heard_is_toml(words in proptest::collection::vec(any_word(), 0..9)) {
        let lab = vocabulary();
        for heard in [step(&words), fault(&words), expectation(&words)].into_iter().flatten() {
            let inline = format!("{{{heard}}}");
            prop_assert!(toml::de::DeValue::parse(&inline).is_ok(), "{heard}");
        }
        if let Ok(meant) = step(&words).and_then(|heard| lab.step(&heard)) {
            let said = of_step(&meant.value);
            let again = lab.step(&step(&split(&said).unwrap()).unwrap()).unwrap();
            prop_assert_eq!(again.value.action, meant.value.action, "{}", said);
        }
        complete(&words, &lab);
    }

    #[test]
    fn any_line_is_split_or_refused(line in any::<String>(), word in any::<String>()) {
        let _ = split(&line);
        prop_assert_eq!(split(&quoted(&word)).unwrap(), [word]);
    }
}

#[test]
fn a_workload_is_said_as_the_step_that_starts_it() {
    let lab = vocabulary();
    let heard = workload(&words("lun 5 rate=500 block=8KiB")).unwrap();
    let meant = lab.workload(&heard).unwrap().value.expect("I/O");
    assert_eq!((meant.lun.0, meant.rate, meant.block), (5, 500, 8192));
    assert!(workload(&words("speed=500")).is_err());
}

#[test]
fn steps_that_are_about_to_be_taken_have_names_of_their_own() {
    let mut lab = vocabulary();
    let step = lab.step("fail = \"controller A\"").unwrap().value;
    lab.know_name(&step);
    let next = lab.next_step_name();
    assert!(next != step.name && next != "ask", "{next}");
    assert_ne!(lab.step("fail = \"controller B\"").unwrap().value.name, step.name);
}
