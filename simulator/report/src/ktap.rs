//! KTAP, the format of the kernel's own tests (Documentation/dev-tools/ktap.rst), for their parsers and for CI.

use std::fmt::Write;

use sansim_stage::visible;

use crate::{
    unjudged::Unjudged,
    verdict::{Summary, Verdict},
};

/// A result line for each run, those without a verdict included. The reason of a verdict stands above its line.
pub fn ktap(summaries: &[Summary], unjudged: &[Unjudged]) -> String {
    let mut out = format!("KTAP version 1\n1..{}\n", summaries.len() + unjudged.len());
    let judged = summaries.iter().map(|summary| Case {
        name: name(&summary.scenario, &summary.image, summary.run),
        verdict: summary.verdict,
        reason: summary.reason.as_deref().unwrap_or_default(),
    });
    let others = unjudged.iter().map(|run| Case {
        name: name(&run.scenario, &run.image, run.run),
        verdict: Verdict::Error,
        reason: &run.reason,
    });
    for (number, case) in (1..).zip(judged.chain(others)) {
        case.write(number, &mut out);
    }
    visible(&out).into_owned()
}

struct Case<'r> {
    name: String,
    verdict: Verdict,
    reason: &'r str,
}

/// A description is text without `#`, which begins a directive.
fn name(scenario: &str, image: &str, run: Option<u32>) -> String {
    let run = run.map_or(String::new(), |run| format!(" run {run}"));
    format!("{scenario} on {image}{run}").replace(['#', '\n'], " ")
}

impl Case<'_> {
    fn write(&self, number: usize, out: &mut String) {
        let (result, directive) = match self.verdict {
            Verdict::Pass => ("ok", ""),
            Verdict::Known => ("ok", " # XFAIL"),
            Verdict::Skipped => ("ok", " # SKIP"),
            Verdict::Fail => ("not ok", ""),
            Verdict::Error => ("not ok", " # ERROR"),
        };
        for line in self.reason.lines() {
            let _ = writeln!(out, "# {line}");
        }
        let first = self.reason.lines().next().filter(|_| !directive.is_empty());
        let reason = first.map_or(String::new(), |reason| format!(" {reason}"));
        let _ = writeln!(out, "{result} {number} {}{directive}{reason}", self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unjudged::How;

    #[test]
    fn each_verdict_has_its_line() {
        let verdicts =
            [Verdict::Pass, Verdict::Known, Verdict::Skipped, Verdict::Fail, Verdict::Error];
        let mut out = String::new();
        for (number, verdict) in (1..).zip(verdicts) {
            let case =
                Case { name: name("a#b.toml", "trixie", None), verdict, reason: "why\nmore" };
            case.write(number, &mut out);
        }
        let results: Vec<&str> = out.lines().filter(|line| !line.starts_with('#')).collect();
        let expected = [
            "ok 1 a b.toml on trixie",
            "ok 2 a b.toml on trixie # XFAIL why",
            "ok 3 a b.toml on trixie # SKIP why",
            "not ok 4 a b.toml on trixie",
            "not ok 5 a b.toml on trixie # ERROR why",
        ];
        assert_eq!(results, expected);
    }

    #[test]
    fn a_run_without_a_verdict_is_planned_and_not_ok() {
        let run = Unjudged {
            scenario: "a.toml".into(),
            image: "bookworm".into(),
            run: Some(2),
            how: How::NotStarted,
            reason: "--fail-fast".into(),
        };
        let expected = "KTAP version 1\n1..1\n# --fail-fast\nnot ok 1 a.toml on bookworm run 2 # ERROR --fail-fast\n";
        assert_eq!(ktap(&[], &[run]), expected);
    }
}
