//! `ran`: the result of a program that a step ran.

use std::{fmt, sync::Arc};

use sansim_protocol::{Ended, SIGNALS, Signal};
use sansim_stage::{Condition, Judgement, TextMatch, World};

use super::{
    Context, ExpectWord, Expected, Expecting, condition,
    number::{of_text, text},
};
use crate::{
    check::Checker,
    form::{Many, table},
    near,
    value::{At, Comparison},
};

/// How much of a program's output is quoted in a judgement, in characters.
const SHOWN: usize = 200;

table! {
    /// The result of a program that a step ran.
    pub(super) struct Ran, "`ran`" {
        /// The result of a program that a step ran.
        ran: Many<RanTable>,
    }
}

table! {
    /// The exit code and the output of a program.
    struct RanTable, "a table such as { step = \"name\", code = 0 }" {
        /// The name of the step that ran the program.
        step: At<String>,
        /// The exit code of the program.
        code: Option<Comparison<u64>>,
        /// What killed the program: a signal, such as `SEGV`, or `time limit`.
        killed_by: Option<At<String>>,
        /// Text that the output contains, standard error included.
        contains: Option<At<String>>,
        /// A regular expression that matches anywhere in the output.
        matches: Option<At<String>>,
    }
}

#[derive(Debug)]
struct Answer {
    step: String,
    code: Option<Comparison<u64>>,
    killed_by: Option<Ended>,
    output: Option<TextMatch>,
}

/// The word for a program that did not end within its `timeout`.
const TIME_LIMIT: &str = "time limit";

impl ExpectWord for Ran {
    const EXAMPLE: &'static str = r#"ran = { step = "ask", code = 0, contains = "ready" }"#;

    fn check(&self, _: &Context, checker: &mut Checker<'_>) -> Vec<Arc<dyn Expected>> {
        self.ran.iter().map(|ran| condition(ran.check(checker))).collect()
    }
}

impl RanTable {
    fn check(&self, checker: &mut Checker<'_>) -> Answer {
        let RanTable { step: At { span, .. }, code, killed_by, contains, matches } = self;
        let step = checker.step(&self.step);
        if checker.steps.contains(&step) && !checker.programs.contains(&step) {
            let problem = format!("the step {step:?} runs no program");
            let help = match &checker.programs[..] {
                [] => "no step has `run`".to_owned(),
                programs => near::help(&step, programs),
            };
            checker.refuse(span, problem, help);
        }
        if let Some(code) = code.as_ref().filter(|code| code.is_certain(u8::MAX.into())) {
            let help = "say which code is meant, or write `optional = true` at the step";
            checker.refuse(span, format!("every exit code is {code}"), help);
        }
        checker.exclusive(&[("code", code.is_some()), ("killed_by", killed_by.is_some())], span);
        if code.is_none() && killed_by.is_none() && contains.is_none() && matches.is_none() {
            let help = "write one or more of `code`, `killed_by`, `contains` and `matches`";
            checker.refuse(span, "nothing is expected of this program", help);
        }
        let output = text(contains.as_ref(), matches.as_ref(), span, checker);
        let killed_by = killed_by.as_ref().and_then(|by| killer(by, checker));
        Answer { step, code: code.clone(), killed_by, output }
    }
}

/// What kills a program, by the word for it.
fn killer(by: &At<String>, checker: &mut Checker<'_>) -> Option<Ended> {
    if by.value == TIME_LIMIT {
        return Some(Ended::TimeLimit);
    }
    let signal = Signal::named(&by.value);
    if signal.is_none() {
        let words: Vec<&str> = SIGNALS.iter().map(|(name, _)| *name).chain([TIME_LIMIT]).collect();
        let problem = format!("{:?} kills no program", by.value);
        checker.refuse(&by.span, problem, near::help(&by.value, &words));
    }
    signal.map(Ended::Signal)
}

impl Condition for Answer {
    fn judge(&self, world: &World) -> Judgement {
        let step = &self.step;
        let Some(ran) = world.program(step) else {
            return Judgement::new(false, format!("step {step:?} has not run"));
        };
        // A killed program has no exit code, so no range contains it.
        let code_holds = self.code.as_ref().is_none_or(|code| {
            ran.ended.code().and_then(|c| u64::try_from(c).ok()).is_some_and(|c| code.holds(c))
        });
        let end_holds = self.killed_by.is_none_or(|by| by == ran.ended);
        let text_holds = self.output.as_ref().is_none_or(|text| text.is_in(&ran.output));
        let mut seen = match ran.ended {
            Ended::Code(code) => format!("step {step:?} ended with code {code}"),
            killed => format!("step {step:?} was {killed}"),
        };
        if self.output.is_some() {
            let shown: String = ran.output.chars().take(SHOWN).collect();
            let more = if shown.len() < ran.output.len() { "…" } else { "" };
            seen.push_str(&format!(" and wrote {shown:?}{more}"));
        }
        Judgement::new(code_holds && end_holds && text_holds, seen)
    }

    fn subjects(&self) -> Vec<String> {
        vec![format!("the program of step {:?}", self.step)]
    }
}

impl Expected for Answer {
    fn code_of(&self, step: &str) -> Option<&Comparison<u64>> {
        self.code.as_ref().filter(|_| self.step == step)
    }

    fn is_about_end_of(&self, step: &str) -> bool {
        self.step == step && (self.code.is_some() || self.killed_by.is_some())
    }

    fn put(&self, table: &mut Expecting) {
        let (contains, matches) = of_text(self.output.as_ref());
        let (step, code) = (At::nowhere(self.step.clone()), self.code.clone());
        let killed_by = self.killed_by.and_then(Ended::killed_by).map(At::nowhere);
        table.push("ran", &RanTable { step, code, killed_by, contains, matches });
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {:?}", self.step)?;
        if let Some(code) = &self.code {
            write!(f, " ends with code {code}")?;
        }
        if let Some(by) = &self.killed_by {
            write!(f, " is {by}")?;
        }
        if (self.code.is_some() || self.killed_by.is_some()) && self.output.is_some() {
            f.write_str(" and")?;
        }
        self.output.as_ref().map_or(Ok(()), |text| write!(f, " writes {text}"))
    }
}
