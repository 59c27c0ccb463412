//! `ran`: the result of a program that a step ran.

use std::{fmt, sync::Arc};

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
    output: Option<TextMatch>,
}

impl ExpectWord for Ran {
    const EXAMPLE: &'static str = r#"ran = { step = "ask", code = 0, contains = "ready" }"#;

    fn check(&self, _: &Context, checker: &mut Checker<'_>) -> Vec<Arc<dyn Expected>> {
        self.ran.iter().map(|ran| condition(ran.check(checker))).collect()
    }
}

impl RanTable {
    fn check(&self, checker: &mut Checker<'_>) -> Answer {
        let RanTable { step: At { span, .. }, code, contains, matches } = self;
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
        if code.is_none() && contains.is_none() && matches.is_none() {
            let help = "write one or more of `code`, `contains` and `matches`";
            checker.refuse(span, "nothing is expected of this program", help);
        }
        let output = text(contains.as_ref(), matches.as_ref(), span, checker);
        Answer { step, code: code.clone(), output }
    }
}

impl Condition for Answer {
    fn judge(&self, world: &World) -> Judgement {
        let step = &self.step;
        let Some(ran) = world.program(step) else {
            return Judgement::new(false, format!("step {step:?} has not run"));
        };
        // A killed program has no exit code, so no range contains it.
        let code_holds = self.code.as_ref().is_none_or(|code| {
            ran.code.and_then(|c| u64::try_from(c).ok()).is_some_and(|c| code.holds(c))
        });
        let text_holds = self.output.as_ref().is_none_or(|text| text.is_in(&ran.output));
        let mut seen = match ran.code {
            Some(code) => format!("step {step:?} ended with code {code}"),
            None => format!("step {step:?} was killed"),
        };
        if self.output.is_some() {
            let shown: String = ran.output.chars().take(SHOWN).collect();
            let more = if shown.len() < ran.output.len() { "…" } else { "" };
            seen.push_str(&format!(" and wrote {shown:?}{more}"));
        }
        Judgement::new(code_holds && text_holds, seen)
    }

    fn subjects(&self) -> Vec<String> {
        vec![format!("the program of step {:?}", self.step)]
    }
}

impl Expected for Answer {
    fn code_of(&self, step: &str) -> Option<&Comparison<u64>> {
        self.code.as_ref().filter(|_| self.step == step)
    }

    fn put(&self, table: &mut Expecting) {
        let (contains, matches) = of_text(self.output.as_ref());
        let (step, code) = (At::nowhere(self.step.clone()), self.code.clone());
        table.push("ran", &RanTable { step, code, contains, matches });
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {:?}", self.step)?;
        if let Some(code) = &self.code {
            write!(f, " ends with code {code}")?;
        }
        if self.code.is_some() && self.output.is_some() {
            f.write_str(" and")?;
        }
        self.output.as_ref().map_or(Ok(()), |text| write!(f, " writes {text}"))
    }
}
