//! The blocks of the kernel's code that stories execute: another thing by which a story can be new.

use std::{collections::BTreeSet, sync::Arc};

use sansim_coverage::atlas::{Atlas, BlockId};
use sansim_lab::Marks;

use crate::behaviour::number;

/// What is done with the kernel's blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guidance {
    /// They are counted, and a schedule that reaches new ones is kept.
    Guide,
    /// They are only counted: to see what guidance is good for.
    Count,
}

/// The multipath modules of an image, to see which of their blocks a story has executed.
#[derive(Debug, Clone)]
pub struct Blocks {
    /// The kernel's release.
    pub kernel: String,
    /// Its modules.
    pub atlas: Arc<Atlas>,
}

impl Blocks {
    /// The numbers under which all of them are remembered.
    pub(crate) fn numbers(&self) -> BTreeSet<u64> {
        self.atlas.all().map(|at| self.number(at)).collect()
    }

    /// The numbers of the blocks that a guest has executed.
    pub(crate) fn executed(&self, marks: &Marks) -> BTreeSet<u64> {
        self.atlas.executed(marks).into_iter().map(|at| self.number(at)).collect()
    }

    /// These blocks in words, by module and function.
    pub(crate) fn words(&self, numbers: &BTreeSet<u64>) -> Vec<String> {
        let all = self.atlas.all().filter(|at| numbers.contains(&self.number(*at)));
        let words = all.filter_map(|at| {
            let block = self.atlas.block(at)?;
            let calls = match &block.calls[..] {
                [] => String::new(),
                calls => format!(", calls {}", calls.join(", ")),
            };
            let module = self.atlas.module(at);
            Some(format!("{module}: {}+{:#x}{calls}", block.function, block.at))
        });
        words.collect()
    }

    /// A block's number is the same as long as the kernel is.
    fn number(&self, at: BlockId) -> u64 {
        let Blocks { kernel, atlas } = self;
        let Some(block) = atlas.block(at) else { return 0 };
        let (module, section, start) = (atlas.module(at), block.section, block.start);
        number(&format!("block {kernel} {module} {section} {start}"))
    }
}
