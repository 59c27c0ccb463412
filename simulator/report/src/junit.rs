//! JUnit XML, for CI systems.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use sansim_stage::visible;

use crate::verdict::{Summary, Verdict};

/// A report with one test case per run.
pub fn junit(summaries: &[Summary]) -> Report {
    let mut suite = TestSuite::new("sansim");
    for summary in summaries {
        suite.add_test_case(test_case(summary));
    }
    let mut report = Report::new("sansim");
    report.set_time(Duration::from_secs_f64(summaries.iter().map(|s| s.wall_s).sum()));
    report.add_test_suite(suite);
    report
}

fn test_case(summary: &Summary) -> TestCase {
    let run = summary.run.map_or(String::new(), |run| format!(" (run {run})"));
    let mut case = TestCase::new(&*visible(&format!("{}{run}", summary.scenario)), status(summary));
    case.set_classname(format!("sansim.{}", summary.image));
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
    let lines: Vec<String> = summary
        .expectations
        .iter()
        .map(|e| format!("{} {}: {}", if e.ok { "ok  " } else { "FAIL" }, e.text, e.seen))
        .collect();
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
