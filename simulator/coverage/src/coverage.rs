//! What was executed of each block, merged over runs and images.

use std::{cmp::Ordering, collections::BTreeMap};

use sansim_marks::Marks;
use serde::{Deserialize, Serialize};

use crate::{
    atlas::{Atlas, Module},
    block::Block,
    build_id::BuildId,
    debug::{LineTable, SourceLine},
    listing::listing,
};

/// The coverage of runs, by the image's name.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Coverage {
    /// Each image.
    pub images: BTreeMap<String, ImageCoverage>,
}

/// The coverage of an image's modules.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct ImageCoverage {
    /// The kernel's release, as in `uname -r`.
    pub kernel: String,
    /// How many runs were counted.
    pub runs: u64,
    /// How many translation blocks the plugin had no room for. Unless this is 0, more may have been executed.
    pub lost: u64,
    /// The modules by name.
    pub modules: BTreeMap<String, ModuleCoverage>,
}

/// The coverage of a module.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct ModuleCoverage {
    /// Which build of the module it is; `None` if its file does not say, or the coverage was written before this was kept.
    pub build_id: Option<BuildId>,
    /// All of its blocks, by section and offset.
    pub blocks: Vec<BlockCoverage>,
}

/// The coverage of a block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BlockCoverage {
    /// The section: `.text`.
    pub section: String,
    /// Offset of the first byte in the section.
    pub offset: u32,
    /// Number of bytes.
    pub bytes: u32,
    /// The function.
    pub function: String,
    /// Offset of the first byte in the function.
    pub at: u32,
    /// The functions that it calls or jumps to by name.
    pub calls: Vec<String>,
    /// Whether it raises a warning or a bug of the kernel's.
    pub asserts: bool,
    /// Its disassembly.
    pub code: Vec<String>,
    /// The lines of source that it is of, in the order of its instructions; none if they are not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<SourceLine>,
    /// How many runs have executed it.
    pub runs: u64,
    /// The shortest of them; `None` if there is none.
    pub shortest: Option<Reached>,
}

/// A run that executed a block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reached {
    /// The scenario's file.
    pub scenario: String,
    /// How long its story is, in simulated seconds.
    pub seconds: f64,
}

impl Reached {
    /// Shorter stories first; of those of one length, by name.
    pub(crate) fn compare(&self, other: &Reached) -> Ordering {
        self.seconds.total_cmp(&other.seconds).then_with(|| self.scenario.cmp(&other.scenario))
    }
}

/// How many blocks there are, and how many of them were executed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Those that were executed.
    pub executed: usize,
    /// All.
    pub all: usize,
}

impl Count {
    /// Of these blocks.
    pub fn of<'b>(blocks: impl IntoIterator<Item = &'b BlockCoverage>) -> Count {
        blocks.into_iter().fold(Count::default(), |count, block| Count {
            executed: count.executed + usize::from(block.shortest.is_some()),
            all: count.all + 1,
        })
    }

    /// The part that was executed, in percent; of nothing, all.
    pub fn percent(self) -> f64 {
        if self.all == 0 { 100.0 } else { self.executed as f64 * 100.0 / self.all as f64 }
    }
}

impl ModuleCoverage {
    /// Whether the lines of its blocks are known.
    pub fn has_lines(&self) -> bool {
        self.blocks.iter().any(|block| !block.lines.is_empty())
    }

    /// Says of which lines its blocks are, by the debug information of the same build.
    pub fn tell_lines(&mut self, table: &LineTable) {
        for block in &mut self.blocks {
            let BlockCoverage { section, offset, bytes, function, .. } = &*block;
            block.lines = table.lines(section, *offset, *bytes, function);
        }
    }

    /// The blocks of each function, in the order of the file.
    pub fn functions(&self) -> impl Iterator<Item = &[BlockCoverage]> {
        self.blocks.chunk_by(|a, b| (&a.section, &a.function) == (&b.section, &b.function))
    }
}

/// A run that is to be counted.
#[derive(Debug, Clone)]
pub struct Run<'r> {
    /// The image's name.
    pub image: &'r str,
    /// The kernel's release.
    pub kernel: &'r str,
    /// The scenario's file, and the length of its story.
    pub reached: Reached,
    /// What its guest has executed.
    pub marks: &'r Marks,
}

impl ImageCoverage {
    fn by_no_run(atlas: &Atlas, kernel: &str) -> ImageCoverage {
        let modules = atlas.modules().iter().map(|module| {
            let blocks = module.blocks.iter().map(|block| BlockCoverage::by_no_run(module, block));
            let build_id = module.code.build_id.clone();
            (module.name.clone(), ModuleCoverage { build_id, blocks: blocks.collect() })
        });
        let modules = modules.collect();
        ImageCoverage { kernel: kernel.to_owned(), modules, ..ImageCoverage::default() }
    }
}

impl BlockCoverage {
    fn by_no_run(module: &Module, block: &Block) -> BlockCoverage {
        BlockCoverage {
            section: module.code.sections[block.section].name.clone(),
            offset: block.start,
            bytes: block.end - block.start,
            function: block.function.clone(),
            at: block.at,
            calls: block.calls.clone(),
            asserts: block.asserts,
            code: listing(&module.code, block),
            lines: Vec::new(),
            runs: 0,
            shortest: None,
        }
    }
}

impl Coverage {
    /// Counts a run on an image with these modules.
    pub fn add(&mut self, atlas: &Atlas, run: &Run<'_>) {
        let image = self
            .images
            .entry(run.image.to_owned())
            .or_insert_with(|| ImageCoverage::by_no_run(atlas, run.kernel));
        image.runs += 1;
        image.lost += run.marks.lost();
        for at in atlas.executed(run.marks) {
            let of_module = image.modules.get_mut(atlas.module(at));
            if let Some(block) = of_module.and_then(|it| it.blocks.get_mut(at.block)) {
                block.runs += 1;
                block.reached_by(&run.reached);
            }
        }
    }

    /// Adds the coverage of other runs.
    ///
    /// # Errors
    /// When an image of the same name has other modules.
    pub fn join(&mut self, other: Coverage) -> Result<(), String> {
        for (name, theirs) in other.images {
            match self.images.get_mut(&name) {
                None => {
                    self.images.insert(name, theirs);
                }
                Some(ours) => {
                    ours.join(theirs).map_err(|why| format!("the image {name}: {why}"))?
                }
            }
        }
        Ok(())
    }
}

impl ImageCoverage {
    fn join(&mut self, other: ImageCoverage) -> Result<(), String> {
        if self.kernel != other.kernel || !self.modules.keys().eq(other.modules.keys()) {
            return Err("its coverage is of two kernels".to_owned());
        }
        for ((name, ours), theirs) in self.modules.iter_mut().zip(other.modules.into_values()) {
            let two_builds = || format!("its coverage is of two builds of {name}");
            let same = |(a, b): (&BlockCoverage, &BlockCoverage)| {
                (&a.section, a.offset, &a.code) == (&b.section, b.offset, &b.code)
            };
            if ours.blocks.len() != theirs.blocks.len()
                || !ours.blocks.iter().zip(&theirs.blocks).all(same)
            {
                return Err(two_builds());
            }
            match (&ours.build_id, theirs.build_id) {
                (Some(ours), Some(theirs)) if *ours != theirs => return Err(two_builds()),
                (None, theirs) => ours.build_id = theirs,
                _ => {}
            }
            for (ours, theirs) in ours.blocks.iter_mut().zip(theirs.blocks) {
                ours.runs += theirs.runs;
                if ours.lines.is_empty() {
                    ours.lines = theirs.lines;
                }
                theirs.shortest.iter().for_each(|reached| ours.reached_by(reached));
            }
        }
        self.runs += other.runs;
        self.lost += other.lost;
        Ok(())
    }
}

impl BlockCoverage {
    fn reached_by(&mut self, run: &Reached) {
        if self.shortest.as_ref().is_none_or(|shortest| run.compare(shortest).is_lt()) {
            self.shortest = Some(run.clone());
        }
    }
}

#[cfg(test)]
mod tests;
