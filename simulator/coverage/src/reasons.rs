//! Why blocks are not executed by any scenario, and how much is to be reached.
//!
//! A table, in TOML: [`Reasons`]. The one that comes along is `reasons.toml`; it is checked with the coverage
//! ([`Reasons::complaints`]), so that it cannot become out of date unseen.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::coverage::{BlockCoverage, Count, Coverage, ImageCoverage};

/// The table for this project's library of scenarios.
const OWN: &str = include_str!("reasons.toml");

/// The table of reasons.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reasons {
    /// The percentage of a module's reachable blocks that is to be executed.
    #[serde(default)]
    pub aims: BTreeMap<String, f64>,
    /// The reasons.
    #[serde(default, rename = "reason")]
    pub reasons: Vec<Reason>,
}

/// A reason why blocks are not executed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// The reason, in a sentence.
    pub why: String,
    /// The kernel whose code it is about: the release, as in `uname -r`. Without it, every kernel's.
    pub kernel: Option<String>,
    /// The module. Without it, every module.
    pub module: Option<String>,
    /// The function. Without it, every function.
    pub function: Option<String>,
    /// Blocks of that function, by their offsets in it. Without them, all of it.
    #[serde(default)]
    pub blocks: Vec<u32>,
    /// Only blocks that call one of these.
    #[serde(default)]
    pub calls: Vec<String>,
    /// Only blocks that raise a warning or a bug of the kernel's.
    #[serde(default)]
    pub asserts: bool,
}

/// How much of a module was executed, and what is known of the rest.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// The blocks, and those that were executed.
    pub count: Count,
    /// Blocks that were not executed, for a reason.
    pub explained: usize,
}

impl Reach {
    /// The blocks that can be reached.
    pub fn reachable(self) -> Count {
        Count { executed: self.count.executed, all: self.count.all - self.explained }
    }
}

impl Reasons {
    /// The table that comes along, for the library of scenarios.
    ///
    /// # Errors
    /// Never, unless the file is wrong, which a test finds.
    pub fn own() -> Result<Reasons, String> {
        Reasons::read(OWN)
    }

    /// Reads a table.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Reasons, String> {
        let reasons: Reasons = toml::from_str(text).map_err(|error| error.to_string())?;
        for reason in &reasons.reasons {
            let general = reason.calls.is_empty() && !reason.asserts && reason.function.is_none();
            if general
                || (!reason.blocks.is_empty()
                    && (reason.function.is_none() || reason.kernel.is_none()))
            {
                return Err(format!(
                    "the reason {:?} must name what it is about: a function, calls, or asserts; blocks are of one \
                     function of one kernel",
                    reason.why
                ));
            }
        }
        Ok(reasons)
    }

    /// The reason why a block that was not executed was not; `None` if there is none.
    pub fn of(&self, kernel: &str, module: &str, block: &BlockCoverage) -> Option<&Reason> {
        if block.shortest.is_some() {
            return None;
        }
        self.reasons.iter().find(|reason| reason.is_for(kernel, module) && reason.is_about(block))
    }

    /// How much of a module was executed.
    pub fn reach(&self, kernel: &str, module: &str, blocks: &[BlockCoverage]) -> Reach {
        let explained =
            blocks.iter().filter(|block| self.of(kernel, module, block).is_some()).count();
        Reach { count: Count::of(blocks), explained }
    }

    /// What is wrong: modules that do not reach their aims, reasons for code that is not there or that was executed.
    pub fn complaints(&self, coverage: &Coverage) -> Vec<String> {
        let each = coverage.images.iter();
        each.flat_map(|(name, image)| {
            self.complaints_of(image).into_iter().map(move |it| format!("{name}: {it}"))
        })
        .collect()
    }

    fn complaints_of(&self, image: &ImageCoverage) -> Vec<String> {
        let mut complaints = Vec::new();
        let kernel = image.kernel.as_str();
        for (module, of_module) in &image.modules {
            let reachable = self.reach(kernel, module, &of_module.blocks).reachable();
            if let Some(aim) = self.aims.get(module)
                && reachable.percent() < *aim
            {
                let percent = reachable.percent();
                complaints.push(format!("{module}: {percent:.1} % of the reachable blocks were executed; the aim is {aim} %"));
            }
            let ours = self
                .reasons
                .iter()
                .filter(|reason| reason.is_for(kernel, module) && reason.module.is_some());
            complaints
                .extend(ours.filter_map(|reason| reason.complaint(module, &of_module.blocks)));
        }
        complaints
    }
}

impl Reason {
    fn is_for(&self, kernel: &str, module: &str) -> bool {
        self.kernel.as_deref().is_none_or(|it| it == kernel)
            && self.module.as_deref().is_none_or(|it| it == module)
    }

    fn is_about(&self, block: &BlockCoverage) -> bool {
        self.function.as_ref().is_none_or(|function| *function == block.function)
            && (self.blocks.is_empty() || self.blocks.contains(&block.at))
            && (self.calls.is_empty() || self.calls.iter().any(|call| block.calls.contains(call)))
            && (!self.asserts || block.asserts)
    }

    /// What is wrong with a reason for some code of this module.
    fn complaint(&self, module: &str, blocks: &[BlockCoverage]) -> Option<String> {
        let function = self.function.as_deref()?;
        let own = || blocks.iter().filter(|block| self.is_about(block));
        let place = format!("{module}: {function}");
        if let Some(missing) = self.blocks.iter().find(|at| !own().any(|block| block.at == **at)) {
            return Some(format!("{place}+{missing:#x} has a reason, and is no block"));
        }
        if own().next().is_none() {
            return Some(format!("{place} has a reason, and is not there"));
        }
        let executed = own().find_map(|block| Some((block.at, block.shortest.as_ref()?)));
        let (at, by) = executed?;
        let (why, scenario) = (&self.why, &by.scenario);
        Some(format!("{place}+{at:#x} was executed by {scenario}, in spite of the reason {why:?}"))
    }
}

#[cfg(test)]
mod tests;
