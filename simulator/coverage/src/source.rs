//! Lines of source: those of a block, and what was executed of each.
//!
//! A line has the blocks that have code of it: of every place into which its function was inlined. It is *executed* when
//! one of them is, and *partly* when another one is not.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    num::NonZeroU32,
};

use crate::{
    coverage::{BlockCoverage, Count, ModuleCoverage, Reached},
    debug::SourceLine,
    reasons::Reasons,
};

/// What was executed of a line.
#[derive(Debug, Clone)]
pub struct LineCoverage<'b> {
    /// The line.
    pub at: &'b SourceLine,
    /// The blocks that have code of it, in the order of the file.
    pub blocks: Vec<&'b BlockCoverage>,
}

/// What is known of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing<'r> {
    /// Every block of it was executed.
    Executed,
    /// Some of its blocks were executed.
    Partly,
    /// None was, and none can be, for this reason.
    Unreachable(&'r str),
    /// None was executed.
    Open,
}

/// How many lines there are, and what is known of them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct LineReach {
    /// All, and those of which something was executed.
    pub count: Count,
    /// Those that were executed in part.
    pub partly: usize,
    /// Those that cannot be reached.
    pub explained: usize,
}

impl LineReach {
    /// The lines that can be reached.
    pub fn reachable(self) -> Count {
        Count { executed: self.count.executed, all: self.count.all - self.explained }
    }
}

impl LineCoverage<'_> {
    /// Its blocks, and those that were executed.
    pub fn count(&self) -> Count {
        Count::of(self.blocks.iter().copied())
    }

    /// The shortest run that executed any of it; `None` if there is none.
    pub fn shortest(&self) -> Option<&Reached> {
        let reached = self.blocks.iter().filter_map(|block| block.shortest.as_ref());
        reached.min_by(|a, b| a.compare(b))
    }

    /// What is known of it.
    pub fn standing<'r>(&self, reasons: &'r Reasons, kernel: &str, module: &str) -> Standing<'r> {
        let Count { executed, all } = self.count();
        if executed > 0 {
            return if executed == all { Standing::Executed } else { Standing::Partly };
        }
        let mut why = self.blocks.iter().map(|block| reasons.of(kernel, module, block));
        match why.next().flatten() {
            Some(first) if why.all(|it| it.is_some()) => Standing::Unreachable(&first.why),
            _ => Standing::Open,
        }
    }

    /// Whether it is the module's own. Others are of functions in headers, which any module inlines.
    pub fn is_own(&self) -> bool {
        !self.at.file.ends_with(".h")
    }
}

impl ModuleCoverage {
    /// The lines of the module, by file and number. None, if no debug information was there.
    pub fn lines(&self) -> Vec<LineCoverage<'_>> {
        let mut lines: BTreeMap<(&str, NonZeroU32), LineCoverage<'_>> = BTreeMap::new();
        for block in &self.blocks {
            for at in &block.lines {
                let line = lines
                    .entry((&at.file, at.line))
                    .or_insert_with(|| LineCoverage { at, blocks: Vec::new() });
                line.blocks.push(block);
            }
        }
        lines.into_values().collect()
    }

    /// How many of the module's own lines were executed.
    pub fn line_reach(&self, reasons: &Reasons, kernel: &str, module: &str) -> LineReach {
        let lines = self.lines();
        reach(lines.iter().filter(|line| line.is_own()), reasons, kernel, module)
    }
}

/// How many of these lines were executed.
pub(crate) fn reach<'l, 'b: 'l>(
    lines: impl IntoIterator<Item = &'l LineCoverage<'b>>,
    reasons: &Reasons,
    kernel: &str,
    module: &str,
) -> LineReach {
    let mut reach = LineReach::default();
    for line in lines {
        let standing = line.standing(reasons, kernel, module);
        reach.count.all += 1;
        reach.count.executed +=
            usize::from(matches!(standing, Standing::Executed | Standing::Partly));
        reach.partly += usize::from(standing == Standing::Partly);
        reach.explained += usize::from(matches!(standing, Standing::Unreachable(_)));
    }
    reach
}

/// Lines in words: `drivers/md/dm-mpath.c:120, 122 (multipath_ctr); include/linux/slab.h:600 (kmalloc)`.
pub fn places(lines: &[SourceLine]) -> String {
    let mut text = String::new();
    for same in lines.chunk_by(|a, b| (&a.file, &a.function) == (&b.file, &b.function)) {
        let numbers: Vec<String> = same.iter().map(|it| it.line.to_string()).collect();
        let separator = if text.is_empty() { "" } else { "; " };
        let (file, function) = (&same[0].file, &same[0].function);
        let _ = write!(text, "{separator}{file}:{} ({function})", numbers.join(", "));
    }
    text
}

/// The texts of source files, by the image that they are of.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Texts {
    files: BTreeMap<(String, String), String>,
}

impl Texts {
    /// Adds the text of a file, as the image's kernel was built of.
    pub fn add(&mut self, image: &str, file: &str, text: String) {
        self.files.insert((image.to_owned(), file.to_owned()), text);
    }

    /// The lines of a file; `None` if its text is not there.
    pub(crate) fn of(&self, image: &str, file: &str) -> Option<Vec<&str>> {
        let text = self.files.get(&(image.to_owned(), file.to_owned()))?;
        Some(text.lines().collect())
    }
}

/// The module's own source files of these modules.
pub fn own_files<'m>(modules: impl IntoIterator<Item = &'m ModuleCoverage>) -> BTreeSet<&'m str> {
    let lines = modules.into_iter().flat_map(ModuleCoverage::lines);
    lines.filter(LineCoverage::is_own).map(|line| line.at.file.as_str()).collect()
}

#[cfg(test)]
mod tests;
