use std::collections::BTreeMap;

use sansim_array::{
    CommandFilter, ControllerId, FaultRule, Matches, OpMatcher, RuleView, Stage, Then, When,
};
use sansim_language::load_text;
use sansim_stage::Part;
use sansim_time::Time;

use super::*;

fn scenario(tables: &str) -> Scenario {
    let text = format!(
        "title = \"t\"\n{tables}\n[array]\npersonality = \"rdac\"\n\
         luns = [{{ size = \"16MiB\", owner = \"A\" }}]\n"
    );
    load_text("t", &text, &[]).unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// What is seen of an array at the start of a story.
fn view(scenario: &Scenario) -> ArrayView {
    struct Deaf;
    impl sansim_array::Observer for Deaf {
        fn command(&self, _: &CommandRecord) {}
        fn state(&self, _: &StateChange) {}
    }
    let config = scenario.setup.array_config(1);
    sansim_array::Array::new(config, Arc::new(Deaf)).unwrap().view()
}

/// What came to nothing in a story in which these steps were done and these programs ran.
fn judged(
    scenario: &Scenario,
    done: &[usize],
    ran: &[(&str, Ended)],
    caught: &[u64],
) -> Vec<String> {
    let mut world = World::new(&scenario.setup, BTreeMap::new(), []);
    let mut script = Script::new(scenario.steps.clone(), Time::ZERO);
    let mut watch = Watch::new(scenario);
    let mut view = view(scenario);
    for index in done {
        let step = &scenario.steps[*index];
        if let StepAction::Act(act) = &step.action {
            watch.act(step, act, &view);
        }
        script.done(*index);
    }
    ran.iter().for_each(|(step, ended)| world.on_ran(step, *ended, ""));
    for (rule, caught) in view.rules.iter_mut().zip(caught) {
        (rule.met, rule.caught) = (*caught, *caught);
    }
    let end = Ending {
        scenario,
        elsewhere: 0,
        script: &script,
        ended: false,
        world: &world,
        view: &view,
        workload_waits: false,
        workload_refused: None,
        incomplete: &[],
    };
    watch.judge(&end).iter().map(ToString::to_string).collect()
}

const OWNED: &str = "[[expect]]\nowner = { lun = 0, controller = \"A\" }\n";

#[test]
fn a_story_in_which_everything_was_used_has_nothing_idle() {
    let story = format!(
        "{OWNED}[[fault]]\nwhen = {{ op = \"READ\" }}\nthen = {{ delay = \"1ms\" }}\n\
         [[step]]\nname = \"s\"\nat = \"1s\"\nrun = [\"true\"]\n"
    );
    let idle = judged(&scenario(&story), &[0], &[("s", Ended::Code(0))], &[3]);
    assert_eq!(idle, Vec::<String>::new());
}

#[test]
fn a_program_is_a_test_of_its_own() {
    let program = "[[step]]\nname = \"s\"\nat = \"1s\"\nrun = [\"true\"]\n";
    let story = scenario(program);
    assert!(!story.untested.has_errors());
    assert!(judged(&story, &[0], &[("s", Ended::Code(0))], &[]).is_empty());
    assert_eq!(judged(&story, &[0], &[("s", Ended::Code(1))], &[]).len(), 1);
    let optional = scenario(&format!("{program}optional = true\n"));
    assert!(optional.untested.has_errors(), "nobody asks how it ends");
    assert_eq!(judged(&optional, &[0], &[("s", Ended::Code(0))], &[]).len(), 1);
}

#[test]
fn a_step_that_never_happened_is_named_with_its_reason() {
    let story = "[[step]]\non = { log = \"zzzz\" }\nfail = \"controller A\"\n\
                 [[step]]\nname = \"late\"\nat = \"5s\"\nfail = \"controller B\"\n";
    let idle = judged(&scenario(&format!("{OWNED}{story}")), &[], &[], &[]);
    insta::assert_snapshot!(idle.join("\n"), @r#"
    step "step-1" (when the kernel logs "zzzz": controller A is failed) never happened: what it waited for never came
    step "late" (at 5s: controller B is failed) never happened: the story was over before
    "#);
    let optional = story.replace("[[step]]", "[[step]]\noptional = true");
    assert!(judged(&scenario(&format!("{OWNED}{optional}")), &[], &[], &[]).is_empty());
}

#[test]
fn a_step_that_changes_nothing_is_idle() {
    let faults = "[[fault]]\nname = \"f\"\nwhen = { op = \"READ\" }\nthen = { hold = \"g\" }\n";
    let step = |action: &str| {
        let story = format!("{OWNED}{faults}[[step]]\nat = \"1s\"\n{action}\n");
        judged(&scenario(&story), &[0], &[], &[1]).join("\n")
    };
    for (action, why) in [
        ("release = \"g\"", "no command was held under \"g\""),
        ("arm = \"f\"", "fault \"f\" was armed already"),
        ("restore = \"controller A\"", "controller A was online already"),
        ("own = { lun = 0, controller = \"A\" }", "controller A owned LUN 0 already"),
        ("link = { port = \"A0\", up = true }", "the link was up already"),
        ("plug = \"A0\"", "port A0 was there already"),
    ] {
        let idle = step(action);
        assert!(idle.ends_with(&format!("changed nothing: {why}")), "{action}: {idle}");
        assert_eq!(step(&format!("{action}\noptional = true")), "");
    }
    for action in ["disarm = \"f\"", "fail = \"controller A\"", "unplug = \"A0\""] {
        assert_eq!(step(action), "");
    }
}

#[test]
fn a_program_that_fails_unasked_is_idle() {
    let run = "[[step]]\nname = \"s\"\nat = \"1s\"\nrun = [\"x\"]\n";
    let with = |expect: &str, code| {
        let story = format!("{OWNED}{run}[[expect]]\nran = {{ step = \"s\", {expect} }}\n");
        judged(&scenario(&story), &[0], &[("s", code)], &[]).len()
    };
    assert_eq!(with("contains = \"y\"", Ended::Code(1)), 1);
    assert_eq!(with("contains = \"y\"", Ended::Code(0)), 0);
    assert_eq!(with("code = 0", Ended::Code(1)), 0, "the expectation fails");
    assert_eq!(with("code = \"> 0\"", Ended::Code(2)), 0);
    assert_eq!(with("code = \"> 0\"", Ended::Code(127)), 1);
    assert_eq!(with("code = 127", Ended::Code(127)), 0);
    assert_eq!(with("contains = \"y\"", Ended::TimeLimit), 1);
    assert_eq!(with("killed_by = \"time limit\"", Ended::TimeLimit), 0);
}

#[test]
fn expectations_of_nothing_in_a_story_without_anything_are_idle() {
    let never = "[[expect]]\nnever = true\nlog = { contains = \"zzzz\" }\n";
    let fault = "[[fault]]\nname = \"f\"\nwhen = { op = \"WRITE SAME\" }\nthen = { sense = \"06/2a/01\" }\n";
    let fired = "[[expect]]\nfault = { name = \"f\", fired = 0 }\n";
    let one = |tables: &str, caught| judged(&scenario(tables), &[], &[], &[caught]).join("\n");
    assert!(one(&format!("{fault}{never}{fired}"), 0).starts_with("nothing happened to the SAN"));
    assert!(one(&format!("{fault}{never}"), 0).starts_with("fault \"f\" never matched"));
    assert_eq!(one(&format!("{fault}{never}"), 1), "");
    assert_eq!(one(&format!("{fault}{never}{OWNED}{fired}"), 0), "");
    assert!(one(&format!("{fault}{OWNED}"), 0).starts_with("fault \"f\" never matched"));
    assert!(scenario(never).untested.has_errors(), "it is known before that nothing happens");
}

/// A rule about MODE SELECT to controller B, and why it has not fired.
fn why(change: impl FnOnce(&mut FaultRule), kind: u64, way: u64, met: u64) -> String {
    let op: OpMatcher = "MODE SELECT".parse().unwrap();
    let then = Then::answered(sansim_array::Answer::Sense("06/2a/01".parse().unwrap()));
    let mut rule = FaultRule::on_commands("not now", CommandFilter::from(op), then);
    let (controller, stage) = (ControllerId::new(1), Some(Stage::Story));
    rule.when = When { controller, stage, ..When::default() };
    change(&mut rule);
    let name = Arc::clone(&rule.name);
    let seen = rules::Rule::seen(rule, kind, way);
    let rules = vec![RuleView { name, armed: true, met, caught: 0 }];
    let view = ArrayView { rules, ..view(&scenario(OWNED)) };
    seen.never_matched(&view).unwrap().to_string()
}

#[test]
fn a_rule_that_never_fired_says_how_near_it_came() {
    let all = [
        why(|_| {}, 0, 0, 0),
        why(|_| {}, 1, 0, 0),
        why(|_| {}, 3, 0, 0),
        why(|rule| rule.when.owner = ControllerId::new(0), 3, 2, 0),
        why(|rule| rule.when.matches = Matches::Nth(5), 3, 3, 3),
        why(|_| {}, 3, 3, 3),
        why(|rule| rule.armed = false, 3, 3, 0),
    ];
    insta::assert_snapshot!(all.join("\n"), @r#"
    fault "not now" never matched: no MODE SELECT was seen
    fault "not now" never matched: 1 MODE SELECT was seen, not to controller B
    fault "not now" never matched: 3 MODE SELECTs were seen, none to controller B
    fault "not now" never matched: 2 MODE SELECTs to controller B were seen, none of them while its controller owned the LUN
    fault "not now" never matched: 3 met its conditions, and it is for number 5
    fault "not now" never matched: 3 met its conditions, and a rule before it caught them
    fault "not now" never matched: it was never armed
    "#);
}

#[test]
fn disks_and_maps_that_are_missing_are_idle_unless_they_are_expected() {
    let missing = [
        Incomplete { what: Part::Disks(Lun(0)), how: "3 of 4 disks, not hba1:B1".to_owned() },
        Incomplete { what: Part::Map(Lun(0)), how: "the kernel refuses it".to_owned() },
        Incomplete { what: Part::Paths(Lun(0)), how: "1 of 4 paths (lun0)".to_owned() },
    ];
    let told = |incomplete: &Incomplete, expect: &str| {
        let scenario = scenario(&format!("[[expect]]\n{expect}\n"));
        let end = Ending {
            scenario: &scenario,
            elsewhere: 0,
            script: &Script::new(Vec::new(), Time::ZERO),
            ended: false,
            world: &World::new(&scenario.setup, BTreeMap::new(), []),
            view: &view(&scenario),
            workload_waits: false,
            workload_refused: None,
            incomplete: std::slice::from_ref(incomplete),
        };
        let all = unexpected(&end);
        all.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let owner = "owner = { lun = 0, controller = \"A\" }";
    let disks = "of LUN 0, the guest has 3 of 4 disks, not hba1:B1: no expectation is about its disks or \
                 its map";
    assert_eq!(told(&missing[0], owner), [disks]);
    assert_eq!(told(&missing[1], owner).len(), 1);
    assert!(told(&missing[2], owner).is_empty(), "it is only said");
    for expect in ["disks = 3", "map = { exists = false }", "paths = { active = 3 }"] {
        assert!(told(&missing[0], expect).is_empty(), "{expect}");
        assert!(told(&missing[1], expect).is_empty(), "{expect}");
    }
}
