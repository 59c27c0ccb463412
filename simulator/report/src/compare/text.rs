//! The comparison as text: a screenful.

use std::fmt;

use super::{Comparison, Happening, Row};

/// The width of the first column, and of those of the runs.
const NAMES: usize = 30;
const VALUES: usize = 34;

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b] = &self.runs;
        writeln!(f, "{:NAMES$}  A {a}", "runs")?;
        writeln!(f, "{:NAMES$}  B {b}", "")?;
        self.facts.iter().try_for_each(|row| write_row(f, row))?;
        let [of_a, of_b] = self.happenings;
        writeln!(
            f,
            "\n{} of {of_a} (A) and {of_b} (B) things that happened are in common.",
            self.in_common
        )?;
        if self.first_difference.iter().all(Vec::is_empty) {
            writeln!(f, "Nothing that tells something differs.")?;
        } else {
            self.write_difference(f)?;
        }
        if !self.expectations.is_empty() {
            writeln!(f, "\nExpectations:")?;
            for row in &self.expectations {
                writeln!(f, "  {}", row.name)?;
                writeln!(f, "    A  {}\n    B  {}", row.values[0], row.values[1])?;
            }
        }
        for (name, log) in ["A", "B"].into_iter().zip(&self.log) {
            if !log.is_empty() {
                writeln!(f, "\nIn the log of {name} only:")?;
                log.iter().try_for_each(|line| write_one(f, name, line))?;
            }
        }
        Ok(())
    }
}

impl Comparison {
    fn write_difference(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.before.is_empty() {
            writeln!(f, "\nThe last of them before the first difference:")?;
            for [a, b] in &self.before {
                let more = if a.count > 1 { format!("  ×{}", a.count) } else { String::new() };
                writeln!(f, "     {:>9.3}s {:>9.3}s  {}{more}", a.t, b.t, a.text)?;
            }
        }
        writeln!(f, "\nThe first difference, and what followed:")?;
        for (name, happenings) in ["A", "B"].into_iter().zip(&self.first_difference) {
            if happenings.is_empty() {
                writeln!(f, "  {name}  nothing more")?;
            }
            happenings.iter().try_for_each(|it| write_one(f, name, it))?;
        }
        Ok(())
    }
}

fn write_row(f: &mut fmt::Formatter<'_>, row: &Row) -> fmt::Result {
    let mark = if row.differs() { "*" } else { " " };
    let [a, b] = &row.values;
    writeln!(f, "{mark} {:<width$}{a:<VALUES$}{b}", row.name, width = NAMES)
}

fn write_one(f: &mut fmt::Formatter<'_>, name: &str, it: &Happening) -> fmt::Result {
    let more = if it.count > 1 { format!("  ×{}", it.count) } else { String::new() };
    writeln!(f, "  {name}  {:>9.3}s  {}{more}", it.t, it.text)
}
