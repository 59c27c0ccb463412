//! Expectations decided as time passes: what must have been before, and known failures.

use sansim_stage::{ExpectationResult, Trial};

use super::*;

const ALL: [PathState; 4] = [PathState::Active; 4];
const A_IS_LOST: [PathState; 4] =
    [PathState::Failed, PathState::Failed, PathState::Active, PathState::Active];

/// A trial of the scenario's expectation, on these versions.
fn trial(scenario: &Scenario, kernel: &str) -> Trial {
    let versions = Versions { kernel: kernel.to_owned(), multipath_tools: None };
    let expectations = scenario.expectations.iter().map(|it| it.judged(&versions)).collect();
    Trial::new(expectations, Time::ZERO)
}

fn at(seconds: u64) -> Time {
    Time::ZERO + Duration::from_secs(seconds)
}

/// What comes of the expectation if the paths are in these states, each a second after the other.
/// `done` is when the step `ask` is done.
fn paths(expectation: &str, states: &[[PathState; 4]], done: u64) -> ExpectationResult {
    let (scenario, mut world) = story(expectation);
    let mut trial = trial(&scenario, "6.1.0");
    for (second, states) in (0..).zip(states) {
        if second == done {
            world.on_done("ask");
        }
        world.on_agent_event(&event(map(0, 1, *states)));
        trial.look(&world, at(second));
    }
    trial.close(&world, at(9));
    trial.into_results().remove(0).unwrap()
}

#[test]
fn by_is_met_at_once_unless_it_waits_for_a_step() {
    let wanted = "by = \"5s\"\npaths = { active = 4 }";
    let lost_and_back = [ALL, A_IS_LOST, A_IS_LOST, ALL];
    assert_eq!(paths(wanted, &lost_and_back, 9).decided_at, 0.0);
    let after = paths(&format!("{wanted}\nafter = \"ask\""), &lost_and_back, 2);
    assert_eq!((after.ok, after.decided_at), (true, 3.0));
    let never = paths(&format!("{wanted}\nafter = \"ask\""), &lost_and_back, 9);
    assert!(!never.ok);
    assert!(never.complaint().ends_with("but step \"ask\" has not been done"), "{never:?}");
}

#[test]
fn again_wants_it_to_have_been_otherwise() {
    let wanted = "by = \"5s\"\nagain = true\npaths = { active = 4 }";
    let back = paths(wanted, &[ALL, A_IS_LOST, ALL], 9);
    assert_eq!((back.ok, back.decided_at), (true, 2.0));
    let kept = paths(wanted, &[ALL, ALL, ALL], 9);
    assert!(!kept.ok);
    assert!(kept.complaint().ends_with("0 failed paths, as it was all the time"), "{kept:?}");
    assert!(!paths(wanted, &[ALL, A_IS_LOST, A_IS_LOST], 9).ok);
}

#[test]
fn never_after_a_step_forgives_what_was_before() {
    let wanted = "never = true\nafter = \"ask\"\npath = { port = \"A0\", state = \"failed\" }";
    assert!(paths(wanted, &[ALL, A_IS_LOST, ALL, ALL], 2).ok);
    assert!(!paths(wanted, &[ALL, A_IS_LOST, ALL, A_IS_LOST], 2).ok);
}

/// What comes of an expectation about a path and the totals of the workload, with a known failure.
fn known(kernel: &str, states: [PathState; 4], errors: u64, lost: u64) -> ExpectationResult {
    let (scenario, mut world) = story(
        "by = \"1s\"\nrounds = 1\npath = { port = \"A0\", state = \"active\" }\n\
         io = { errors = 0, corrupt = 0 }\n\
         known = { kernel = \"< 6.7\", because = \"a commit\", \
         seen = { path = { port = \"A0\", state = \"failed\" }, io = { errors = \"> 0\" } } }",
    );
    let mut trial = trial(&scenario, kernel);
    world.on_agent_event(&event(map(1, 1, states)));
    trial.look(&world, at(1));
    let corrupt = Corruption { lost, ..Corruption::default() };
    let report = WorkloadReport { errors, corrupt, ..WorkloadReport::default() };
    world.on_workload(Lun(0), &report);
    trial.close(&world, at(2));
    trial.into_results().remove(0).unwrap()
}

#[test]
fn a_failure_is_known_by_its_symptom() {
    let seen = known("6.1.0", A_IS_LOST, 7, 0);
    assert!(!seen.ok && seen.is_known(), "{seen:?}");
    assert_eq!(seen.known.as_deref(), Some("a commit"));
    assert!(!known("6.7.0", A_IS_LOST, 7, 0).is_known(), "another kernel");
    let met = known("6.1.0", ALL, 0, 0);
    assert!(met.ok && !met.is_known() && met.known.is_some(), "{met:?}");
}

#[test]
fn whatever_else_goes_wrong_is_not_known() {
    let no_error = known("6.1.0", A_IS_LOST, 0, 0);
    assert!(!no_error.is_known(), "the totals are compared at the end");
    assert!(no_error.complaint().contains("not the failure that is known"), "{no_error:?}");
    let corrupt = known("6.1.0", A_IS_LOST, 7, 1);
    assert!(!corrupt.is_known(), "the symptom says nothing of corrupt blocks");
    assert!(corrupt.complaint().contains("1 corrupt block"), "{corrupt:?}");
    let other_path = known("6.1.0", ALL, 7, 0);
    assert!(!other_path.ok && !other_path.is_known(), "{other_path:?}");
}
