//! `log`: the number of log lines of a kind.

use std::{fmt, sync::Arc};

use sansim_stage::{Condition, Counted, Judgement, TextMatch, World};

use super::{
    Context, ExpectWord, Expected, Expecting, condition, number,
    number::{of_text, some, text},
};
use crate::{
    check::Checker,
    form::{Many, table},
    value::{At, Comparison},
};

table! {
    /// The number of lines of a kind that the guest's kernel has logged.
    pub(super) struct Log, "`log`" {
        /// The number of lines of a kind that the guest's kernel has logged.
        log: Many<At<LogTable>>,
    }
}

table! {
    /// A number of kernel log lines. Without a number, at least one is expected.
    struct LogTable, "a table such as { contains = \"Failing path\" }" {
        /// Text that the line contains.
        contains: Option<At<String>>,
        /// A regular expression that matches anywhere in the line.
        matches: Option<At<String>>,
        /// The number of lines.
        count: Option<Comparison<u64>>,
        /// The minimum number of lines.
        at_least: Option<u64>,
        /// The maximum number of lines.
        at_most: Option<u64>,
        /// The exact number of lines.
        exactly: Option<u64>,
    }
}

#[derive(Debug)]
struct LineCount {
    text: TextMatch,
    count: Comparison<u64>,
}

impl ExpectWord for Log {
    const EXAMPLE: &'static str = r#"log = { contains = "Failing path", at_least = 1 }"#;

    fn check(&self, _: &Context, checker: &mut Checker<'_>) -> Vec<Arc<dyn Expected>> {
        self.log.iter().filter_map(|wanted| wanted.check(checker)).map(condition).collect()
    }
}

impl At<LogTable> {
    fn check(&self, checker: &mut Checker<'_>) -> Option<LineCount> {
        let LogTable { contains, matches, count, at_least, at_most, exactly } = &self.value;
        if contains.is_none() && matches.is_none() {
            checker.refuse(&self.span, "no text is given here", "write `contains` or `matches`");
        }
        let (at_least, at_most, exactly) = (*at_least, *at_most, *exactly);
        let many = number::Many { count, at_least, at_most, exactly };
        let text = text(contains.as_ref(), matches.as_ref(), &self.span, checker)?;
        Some(LineCount { text, count: many.check(&self.span, checker) })
    }
}

impl Condition for LineCount {
    fn judge(&self, world: &World) -> Judgement {
        let count = world.log_lines(&self.text);
        let seen = format!("{} with {}", some(count, "log line"), self.text);
        Judgement::new(self.count.holds(count), seen)
    }

    fn subjects(&self) -> Vec<String> {
        vec![format!("log lines with {}", self.text)]
    }

    fn counted(&self) -> Option<Counted> {
        Some(Counted::LogLines(self.text.clone()))
    }
}

impl Expected for LineCount {
    fn put(&self, table: &mut Expecting) {
        let (contains, matches) = of_text(Some(&self.text));
        let count = Some(self.count.clone());
        let wanted =
            LogTable { contains, matches, count, at_least: None, at_most: None, exactly: None };
        table.push("log", &wanted);
    }

    fn is_of_nothing(&self) -> bool {
        self.count.holds(0)
    }
}

impl fmt::Display for LineCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} log lines with {}", self.count, self.text)
    }
}
