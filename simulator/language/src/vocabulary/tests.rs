use super::*;
use crate::load_text;

const SAN: &str = r#"
title = "a SAN that runs"

[array]
personality = "rdac"
luns = [{ size = "256MiB", owner = "A" }]

[[fault]]
when = { op = "READ" }
then = { hold = "gate" }
"#;

fn vocabulary() -> Vocabulary {
    Vocabulary::of(&load_text("san", SAN, &[]).unwrap())
}

#[test]
fn tables_are_documents_or_the_inside_of_an_inline_table() {
    let lab = vocabulary();
    let step = lab.step("name = \"crash\"\nfail = \"controller A\"\n").unwrap().value;
    assert_eq!((step.name.as_str(), step.words.as_str()), ("crash", "controller A is failed"));
    let step = lab.step("name = \"crash\", fail = \"controller A\"").unwrap().value;
    assert_eq!(step.name, "crash");
    let rule = lab.fault("when = { op = \"READ\" }, then = { delay = \"1s\" }").unwrap();
    assert_eq!(&*rule.value.name, "fault-2");
    assert!(rule.warnings.is_empty());
    let expected = lab.expectation("owner = { lun = 0, controller = \"B\" }").unwrap();
    assert_eq!(expected.value.to_string(), "at the end: owner of LUN 0 is controller B");
    assert_eq!(lab.workload("pattern = \"none\"").unwrap().value, None);
    assert_eq!(lab.workload("").unwrap().value.unwrap().rate, 100);
}

#[test]
fn mistakes_are_told_with_their_place() {
    let lab = vocabulary();
    let place = |text: &str| {
        let wrong = lab.step(text).unwrap_err();
        let first = wrong.iter().next().unwrap().clone();
        (first.message().to_owned(), first.place())
    };
    let at = |column| Some(("<step>".to_owned(), 1, column));
    let (message, where_) = place("fail = \"controller C\"");
    assert_eq!((message.as_str(), where_), ("the array has no controller C", at(8)));
    let (_, where_) = place("name = \"x\", fail = \"controller C\"");
    assert_eq!(where_, at(20));
    let (_, where_) = place("name = \"x\", fail = controller");
    assert_eq!(where_, at(20));
    let (message, _) = place("");
    assert_eq!(message, "this step does nothing");
    let (message, where_) = place("fail = \"controller A\", at = \"1s\"");
    assert_eq!((message.as_str(), where_), ("this step is taken at once", at(29)));
}

#[test]
fn the_vocabulary_follows_what_is_done() {
    let mut lab = vocabulary();
    assert!(lab.step("unmap = 5").is_err());
    let map = lab.step("map = { size = \"64MiB\", owner = \"B\", lun = 5 }").unwrap().value;
    assert_eq!(map.name, "step-1");
    lab.know_step(&map);
    assert!(lab.step("name = \"step-1\", unmap = 5").is_err(), "the name is taken");
    let unmap = lab.step("unmap = 5").unwrap().value;
    assert_eq!(unmap.name, "step-2");
    lab.know_step(&unmap);
    assert!(lab.step("unmap = 5").is_err());

    let rule = lab.fault("then = { hold = \"door\" }").unwrap().value;
    assert!(lab.step("release = \"door\"").is_err());
    lab.know_fault(&rule);
    assert!(lab.step("release = \"door\"").is_ok() && lab.step("disarm = \"fault-2\"").is_ok());
}

#[test]
fn text_that_is_no_table_is_refused_without_a_panic() {
    let lab = vocabulary();
    for text in ["{", "}", "a = 1 }, {", "\u{0}", "= 1", "é = {", "fail = \"é", "[[step]]\nfail"]
    {
        assert!(lab.step(text).is_err(), "{text}");
        assert!(lab.fault(text).is_err(), "{text}");
    }
}
