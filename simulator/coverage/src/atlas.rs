//! The modules of an image, and which of their blocks a guest has executed.

use std::collections::BTreeSet;

use sansim_marks::Marks;

use crate::{
    block::{Block, blocks},
    build_id::BuildId,
    code::{BadModule, Code},
    placing::{Executed, place},
};

/// A block of an [`Atlas`]. It means nothing in another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlockId {
    /// The index of the module.
    pub(crate) module: usize,
    /// The index of the block in the module's, by section and offset.
    pub(crate) block: usize,
}

/// The modules of an image, read.
#[derive(Debug)]
pub struct Atlas {
    modules: Vec<Module>,
}

/// A module, read.
#[derive(Debug)]
pub(crate) struct Module {
    pub(crate) name: String,
    pub(crate) code: Code,
    /// By section and offset.
    pub(crate) blocks: Vec<Block>,
}

impl Atlas {
    /// Reads modules: the name and the file of each.
    ///
    /// # Errors
    /// The name of the first that cannot be read, and why.
    pub fn read(
        files: impl IntoIterator<Item = (String, Vec<u8>)>,
    ) -> Result<Atlas, (String, BadModule)> {
        let read = |(name, elf): (String, Vec<u8>)| match Code::read(&elf) {
            Ok(code) => Ok(Module { blocks: blocks(&code), name, code }),
            Err(why) => Err((name, why)),
        };
        Ok(Atlas { modules: files.into_iter().map(read).collect::<Result<_, _>>()? })
    }

    /// The blocks that a guest with these modules has executed.
    pub fn executed(&self, marks: &Marks) -> BTreeSet<BlockId> {
        let codes: Vec<&Code> = self.modules.iter().map(|module| &module.code).collect();
        let placed = place(&codes, marks).into_iter().enumerate();
        let of_module = |(module, executed): (usize, Option<Executed>)| {
            let executed = executed?;
            let blocks = self.modules[module].blocks.iter().enumerate();
            let blocks = blocks.filter(move |(_, block)| is_executed(block, &executed));
            Some(blocks.map(move |(block, _)| BlockId { module, block }))
        };
        placed.filter_map(of_module).flatten().collect()
    }

    /// All blocks.
    pub fn all(&self) -> impl Iterator<Item = BlockId> {
        let modules = self.modules.iter().enumerate();
        modules.flat_map(|(module, it)| {
            (0..it.blocks.len()).map(move |block| BlockId { module, block })
        })
    }

    /// The name of a block's module.
    pub fn module(&self, at: BlockId) -> &str {
        self.modules.get(at.module).map_or("", |module| &module.name)
    }

    /// What is known of a block; `None` if there is no such block.
    pub fn block(&self, at: BlockId) -> Option<&Block> {
        self.modules.get(at.module)?.blocks.get(at.block)
    }

    /// The name of each module, and which build it is, if its file says so.
    pub fn builds(&self) -> impl Iterator<Item = (&str, Option<&BuildId>)> {
        self.modules.iter().map(|module| (module.name.as_str(), module.code.build_id.as_ref()))
    }

    /// The modules, in the order of their numbers.
    pub(crate) fn modules(&self) -> &[Module] {
        &self.modules
    }
}

fn is_executed(block: &Block, executed: &Executed) -> bool {
    executed[block.section].get(block.start as usize).copied().unwrap_or_default()
}
