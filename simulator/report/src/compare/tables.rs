//! What two runs are and have, side by side.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    past::{Past, PastExpectation},
    pause,
};

/// Pauses that are shorter are every story's, in seconds.
const WORTH_TELLING: f64 = 0.1;

/// The name of the row with the verdicts.
pub(super) const VERDICT: &str = "verdict";

/// A line of a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// What it is about.
    pub name: String,
    /// What each run has of it.
    pub values: [String; 2],
    /// Whether it is listed even if it is the same.
    #[serde(skip)]
    pub(super) always: bool,
}

impl Row {
    /// Whether the runs differ in it.
    pub fn differs(&self) -> bool {
        self.values[0] != self.values[1]
    }
}

/// What differs, and what everybody wants to know.
pub(super) fn facts(a: &Past, b: &Past) -> Vec<Row> {
    let (of_a, of_b) = (&a.summary, &b.summary);
    let row = |name: &str, a: String, b: String, always| Row {
        name: name.to_owned(),
        values: [a, b],
        always,
    };
    let text = |name: &str, a: &str, b: &str, always| row(name, a.to_owned(), b.to_owned(), always);
    let seconds = |s: f64| format!("{s:.3} s");
    let mut rows = vec![
        text("scenario", &of_a.scenario, &of_b.scenario, false),
        text("image", &of_a.image, &of_b.image, true),
        text("kernel", &of_a.kernel, &of_b.kernel, true),
        text("handler", &of_a.handler, &of_b.handler, false),
        text("maps by", &of_a.manager, &of_b.manager, false),
        text("QEMU", &of_a.qemu, &of_b.qemu, false),
        row("seed", of_a.seed.to_string(), of_b.seed.to_string(), false),
        text(VERDICT, &of_a.verdict, &of_b.verdict, true),
        row("pg_init rounds", of_a.rounds.to_string(), of_b.rounds.to_string(), true),
        row("I/O errors", of_a.io.errors.to_string(), of_b.io.errors.to_string(), true),
        row("corrupt blocks", of_a.io.corrupt.to_string(), of_b.io.corrupt.to_string(), false),
        row("stuck requests", of_a.io.stuck.to_string(), of_b.io.stuck.to_string(), false),
        row(
            "longest stall",
            seconds(of_a.io.longest_stall_s),
            seconds(of_b.io.longest_stall_s),
            true,
        ),
    ];
    rows.extend(pauses(a, b));
    rows.extend(commands(a, b));
    rows.retain(|row| row.always || row.differs());
    rows
}

/// The pause by cause, as far as either run has one.
fn pauses(a: &Past, b: &Past) -> Vec<Row> {
    let pauses = [pause::longest(&a.events), pause::longest(&b.events)];
    if pauses.iter().flatten().all(|pause| pause.seconds() < WORTH_TELLING) {
        return Vec::new();
    }
    let causes: BTreeSet<pause::Cause> =
        pauses.iter().flatten().flat_map(|pause| pause.by_cause.keys().copied()).collect();
    let of = |pause: &Option<pause::Pause>, cause| {
        let seconds = pause.as_ref().and_then(|pause| pause.by_cause.get(&cause).copied());
        seconds.map_or("-".to_owned(), |seconds| format!("{seconds:.3} s"))
    };
    let total = |pause: &Option<pause::Pause>| {
        pause.as_ref().map_or("-".to_owned(), |pause| format!("{:.3} s", pause.seconds()))
    };
    let mut rows = vec![Row {
        name: "longest pause".to_owned(),
        values: [total(&pauses[0]), total(&pauses[1])],
        always: false,
    }];
    rows.extend(causes.into_iter().map(|cause| Row {
        name: format!("  {}", cause.name()),
        values: [of(&pauses[0], cause), of(&pauses[1], cause)],
        always: false,
    }));
    rows
}

/// Numbers of commands that differ.
fn commands(a: &Past, b: &Past) -> Vec<Row> {
    let (of_a, of_b) = (&a.summary.commands, &b.summary.commands);
    let names: BTreeSet<(&String, &String)> = [of_a, of_b]
        .into_iter()
        .flat_map(|of| of.iter().flat_map(|(op, by)| by.keys().map(move |side| (op, side))))
        .collect();
    let count =
        |of: &std::collections::BTreeMap<String, std::collections::BTreeMap<String, u64>>,
         op,
         side| {
            of.get(op)
                .and_then(|by: &std::collections::BTreeMap<String, u64>| by.get(side))
                .copied()
                .unwrap_or(0)
        };
    names
        .into_iter()
        .map(|(op, side)| Row {
            name: format!("{op} to {side}"),
            values: [count(of_a, op, side).to_string(), count(of_b, op, side).to_string()],
            always: false,
        })
        .collect()
}

/// Expectations with another result, or that one run does not have.
pub(super) fn expectations(a: &Past, b: &Past) -> Vec<Row> {
    let say = |of: Option<&PastExpectation>| match of {
        None => "not expected".to_owned(),
        Some(PastExpectation { ok: true, .. }) => "✓".to_owned(),
        Some(PastExpectation { seen, .. }) => format!("✗ {seen}"),
    };
    let (of_a, of_b) = (&a.summary.expectations, &b.summary.expectations);
    let find =
        |of: &'_ [PastExpectation], text: &str| of.iter().find(|it| it.text == text).cloned();
    let mut texts: Vec<&str> = Vec::new();
    for expectation in of_a.iter().chain(of_b) {
        if !texts.contains(&expectation.text.as_str()) {
            texts.push(&expectation.text);
        }
    }
    let rows = texts.into_iter().filter_map(|text| {
        let (a, b) = (find(of_a, text), find(of_b, text));
        let differs = a.as_ref().map(|it| it.ok) != b.as_ref().map(|it| it.ok);
        let values = [say(a.as_ref()), say(b.as_ref())];
        differs.then(|| Row { name: text.to_owned(), values, always: true })
    });
    rows.collect()
}
