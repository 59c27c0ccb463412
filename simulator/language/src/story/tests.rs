use super::*;
use crate::{load_text, resolved_toml, short_toml};

const SAN: &str = r#"
title = "a SAN that ran"
limit = "5s"

[array]
personality = "rdac"
luns = [{ size = "256MiB", owner = "A" }]

[[fault]]
name = "slow"
then = { delay = "1ms" }

[[step]]
at = "1s"
fail = "controller A"

[[expect]]
rounds = 1
"#;

fn lived(vocabulary: &mut Vocabulary) -> Lived {
    let mut deed = |ms: u64, text: &str| {
        let step = vocabulary.step(text).unwrap_or_else(|wrong| panic!("{wrong}")).value;
        vocabulary.know_step(&step);
        let (at, caption) = (Duration::from_micros(ms * 1000 + 1), step.caption);
        Deed { at, action: step.action, caption, optional: false }
    };
    let mut deeds = vec![
        deed(1500, "fail = \"controller A\"\ncaption = \"Controller A dies.\""),
        deed(2000, "map = { size = \"64MiB\", owner = \"B\", lun = 5 }"),
        deed(3000, "start = { lun = 5 }"),
        deed(9000, "disarm = \"slow\""),
    ];
    let mut rule = |text: &str| {
        let rule = vocabulary.fault(text).unwrap_or_else(|wrong| panic!("{wrong}")).value;
        vocabulary.know_fault(&rule);
        rule
    };
    let busy = rule("when = { op = \"READ\", first = 2 }, then = { status = \"busy\" }");
    let again = FaultRule {
        name: Arc::clone(&busy.name),
        ..rule("then = { lose = \"forever\" }, armed = false")
    };
    let (at, second) = (Duration::from_millis(1200), Duration::from_secs(1));
    let added = vec![
        Added { rule: busy.clone(), at, removed: Some(at + second) },
        Added { rule: again, at: at + 2 * second, removed: None },
    ];
    let arm = Action::Arm { rule: Arc::clone(&busy.name), armed: true };
    let action = StepAction::Act(Act::Array(arm));
    deeds.push(Deed { at: Duration::from_secs(4), action, caption: None, optional: true });
    let b = ControllerId::new(1);
    let luns = vec![
        LunEnd { lun: Lun(0), owner: b, paths: Some((2, 2)), rounds: Some(1) },
        LunEnd { lun: Lun(5), owner: b, paths: Some((2, 2)), rounds: None },
    ];
    let io = Some(IoEnd { errors: 0, corrupt: 0 });
    let idle = MayBeIdle { faults: [busy.name.to_string()].into(), workload: true };
    Lived { deeds, added, idle, end: End { at: Duration::from_micros(12_345_678), luns, io } }
}

#[test]
fn what_was_done_is_a_scenario() {
    let base = load_text("base", SAN, &[]).unwrap();
    let lived = lived(&mut Vocabulary::of(&base));
    let story = story(&base, "what I did", &lived).unwrap_or_else(|wrong| panic!("{wrong}"));
    let resolved = resolved_toml(&story);
    let again = load_text("again", &resolved, &[]).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert!(again.warnings.is_empty(), "{}", again.warnings);
    assert_eq!(resolved_toml(&again), resolved);
    insta::assert_snapshot!(short_toml(&story));
}

#[test]
fn what_is_not_there_cannot_be_expected() {
    let base = load_text("base", SAN, &[]).unwrap();
    let lun = LunEnd { lun: Lun(3), owner: ControllerId::new(0), paths: None, rounds: None };
    let end = End { at: Duration::ZERO, luns: vec![lun], io: None };
    let lived = Lived { deeds: Vec::new(), added: Vec::new(), end, idle: MayBeIdle::default() };
    assert!(story(&base, "t", &lived).unwrap_err().to_string().contains("no LUN 3"));
}
