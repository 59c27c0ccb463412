//! JUnit XML, for CI systems.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use sansim_stage::visible;

use crate::{
    unjudged::Unjudged,
    verdict::{Summary, Verdict},
};

/// A report with one test case per run, those without a verdict included.
pub fn junit(summaries: &[Summary], unjudged: &[Unjudged]) -> Report {
    let mut suite = TestSuite::new("sansim");
    for summary in summaries {
        suite.add_test_case(test_case(summary));
    }
    for run in unjudged {
        suite.add_test_case(without_verdict(run));
    }
    let mut report = Report::new("sansim");
    report.set_time(Duration::from_secs_f64(summaries.iter().map(|s| s.wall_s).sum()));
    report.add_test_suite(suite);
    report
}

/// The case of a run: its name, and the image as its class.
fn case(scenario: &str, image: &str, run: Option<u32>, status: TestCaseStatus) -> TestCase {
    let run = run.map_or(String::new(), |run| format!(" (run {run})"));
    let mut case = TestCase::new(&*visible(&format!("{scenario}{run}")), status);
    case.set_classname(format!("sansim.{image}"));
    case
}

/// A run that was asked for and has no verdict is an error, whatever the reason.
fn without_verdict(run: &Unjudged) -> TestCase {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_type(run.how.to_string());
    status.set_message(&*visible(&run.reason));
    case(&run.scenario, &run.image, run.run, status)
}

fn test_case(summary: &Summary) -> TestCase {
    let mut case = case(&summary.scenario, &summary.image, summary.run, status(summary));
    case.set_time(Duration::from_secs_f64(summary.wall_s));
    for (name, value) in [
        ("title", summary.title.as_str()),
        ("verdict", &summary.verdict.to_string()),
        ("seed", &summary.seed.to_string()),
        ("kernel", &summary.kernel),
        ("handler", &summary.handler),
        ("qemu", &summary.qemu),
        ("accelerator", &summary.accelerator),
        ("time", &summary.time),
        ("boot", &summary.boot),
    ] {
        case.add_property(Property::new(name, &*visible(value)));
    }
    let expectations = summary.expectations.iter();
    let expectations = expectations
        .map(|e| format!("{} {}: {}", if e.ok { "ok  " } else { "FAIL" }, e.text, e.seen));
    let idle = summary.idle.iter().map(|idle| format!("IDLE {idle}"));
    let lines: Vec<String> = expectations.chain(idle).collect();
    case.set_system_out(&*visible(&lines.join("\n")));
    case
}

fn status(summary: &Summary) -> TestCaseStatus {
    let reason = visible(summary.reason.as_deref().unwrap_or_default()).into_owned();
    let mut status = match summary.verdict {
        Verdict::Pass => return TestCaseStatus::success(),
        Verdict::Known | Verdict::Skipped => TestCaseStatus::skipped(),
        Verdict::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Verdict::Error => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    status.set_message(reason.clone());
    status.set_description(format!("{reason}\nrepeat with: {}", visible(&summary.repeat)));
    status
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unjudged::How;

    #[test]
    fn a_run_without_a_verdict_is_an_error_with_its_reason() {
        let run = |scenario: &str, how, reason: &str| Unjudged {
            scenario: scenario.to_owned(),
            image: "bookworm".to_owned(),
            run: None,
            how,
            reason: reason.to_owned(),
        };
        let all = [
            run("a.toml", How::Interrupted, "interrupted"),
            run("b.toml", How::NotStarted, "it was not started: --fail-fast"),
        ];
        let report = junit(&[], &all).to_string().unwrap();
        assert!(report.contains("tests=\"2\""), "{report}");
        assert!(report.contains("errors=\"2\""), "{report}");
        assert!(report.contains("name=\"b.toml\" classname=\"sansim.bookworm\""), "{report}");
        assert!(report.contains("message=\"it was not started: --fail-fast\""), "{report}");
    }
}
