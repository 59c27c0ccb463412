//! What each block may contain, and what is wrong with a block that contains something else. No I/O is done
//! here.
//!
//! A block has at most one request in flight. Generations are numbered in the order of writes, so the
//! failed writes since the last successful one are exactly those after it. The valid contents of a block
//! are therefore one range of generations, `acked..=last`.

use sansim_protocol::CorruptionKind;

use super::stamp::{Content, Run, SECTOR, Stamp};

/// A corruption that was found in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) kind: CorruptionKind,
    /// Expected and actual contents, in words.
    pub(crate) detail: String,
}

/// The history of one block, as needed to judge its contents.
#[derive(Debug, Clone, Copy, Default)]
struct Block {
    /// The newest generation with an acknowledged write. 0 stands for the contents before the run.
    acked: u32,
    /// The newest generation that was submitted. Those after `acked` failed or are in flight.
    last: u32,
    /// The newest generation that was read.
    seen: u32,
    busy: bool,
    /// A corruption was reported, and no write has succeeded since.
    reported: bool,
}

#[derive(Debug)]
pub(crate) struct Ledger {
    run: Run,
    block_bytes: u32,
    blocks: Vec<Block>,
}

impl Ledger {
    /// A ledger of `blocks` blocks with `block_bytes` bytes each, none written yet.
    pub(crate) fn new(run: Run, block_bytes: u32, blocks: usize) -> Ledger {
        Ledger { run, block_bytes, blocks: vec![Block::default(); blocks] }
    }

    pub(crate) fn len(&self) -> usize {
        self.blocks.len()
    }

    /// Offset of a block from the start of the map, in bytes.
    pub(crate) fn offset(&self, block: usize) -> u64 {
        block as u64 * u64::from(self.block_bytes)
    }

    pub(crate) fn is_busy(&self, block: usize) -> bool {
        self.blocks[block].busy
    }

    /// Whether a write of this block was ever submitted.
    pub(crate) fn is_written(&self, block: usize) -> bool {
        self.blocks[block].last > 0
    }

    /// Notes that a read was submitted.
    pub(crate) fn begin_read(&mut self, block: usize) {
        assert!(!self.blocks[block].busy, "one request a block");
        self.blocks[block].busy = true;
    }

    /// Notes that a write was submitted, and stamps its sectors with the next generation.
    pub(crate) fn begin_write<'a>(
        &mut self,
        block: usize,
        sectors: impl Iterator<Item = &'a mut [u8; SECTOR]>,
    ) {
        let offset = self.offset(block);
        let entry = &mut self.blocks[block];
        assert!(!entry.busy, "one request a block");
        entry.busy = true;
        entry.last += 1;
        let (run, generation) = (self.run, entry.last);
        for (sector, bytes) in (0..).zip(sectors) {
            Stamp { run, offset, sector, generation }.write(bytes);
        }
    }

    /// Notes that a write completed. `ok`: with success.
    pub(crate) fn end_write(&mut self, block: usize, ok: bool) {
        let entry = &mut self.blocks[block];
        entry.busy = false;
        if ok {
            entry.acked = entry.last;
            entry.reported = false;
        }
    }

    /// Notes that a read failed.
    pub(crate) fn end_failed_read(&mut self, block: usize) {
        self.blocks[block].busy = false;
    }

    /// Checks the sectors of a successful read. Returns a corruption only once, until the block is written
    /// again.
    pub(crate) fn end_read<'a>(
        &mut self,
        block: usize,
        sectors: impl Iterator<Item = &'a [u8; SECTOR]>,
    ) -> Option<Finding> {
        let view = self.view(block, sectors.map(Content::of));
        let entry = &mut self.blocks[block];
        entry.busy = false;
        match judge(*entry, &view) {
            Ok(newest) => {
                entry.seen = entry.seen.max(newest);
                None
            }
            Err(_) if entry.reported => None,
            Err(kind) => {
                entry.reported = true;
                let entry = *entry;
                Some(Finding { kind, detail: self.detail(entry, &view) })
            }
        }
    }

    /// Summarises the sectors of a block.
    fn view(&self, block: usize, sectors: impl Iterator<Item = Content>) -> View {
        let offset = self.offset(block);
        let mut view = View::default();
        for (number, content) in (0u32..).zip(sectors) {
            match content {
                Content::Stamp(stamp) if self.is_elsewhere(&stamp, offset + place_in(number)) => {
                    view.elsewhere.get_or_insert(stamp);
                }
                Content::Stamp(stamp) if stamp.run == self.run => view.saw(stamp.generation),
                // Data of an earlier run counts as the contents before this run.
                Content::Stamp(_) | Content::Zero => view.saw(0),
                Content::Unknown => view.unknown = view.unknown.or(Some(number)),
            }
        }
        view
    }

    fn detail(&self, block: Block, view: &View) -> String {
        let expected = if block.last > block.acked {
            format!("one of the generations {} to {}", block.acked, block.last)
        } else {
            format!("generation {}", block.acked)
        };
        let found = match (view.elsewhere, view.unknown, view.range) {
            (Some(stamp), ..) => {
                let (place, generation) = (place(&stamp), stamp.generation);
                let map = if stamp.run.map == self.run.map { "" } else { " of another map" };
                format!("generation {generation} of offset {place}{map}")
            }
            (_, Some(sector), _) => format!("unknown bytes in sector {sector} of the block"),
            (_, _, Some((0, 0))) => "what was there before the first write".to_owned(),
            (_, _, Some((old, new))) if old == new => format!("generation {old}"),
            (_, _, Some((old, new))) => format!("sectors of generations {old} to {new}"),
            (_, _, None) => "no data".to_owned(),
        };
        format!("expected {expected} (read back before: {}), found {found}", block.seen)
    }

    /// Whether an intact stamp belongs to another offset of this map, or to another map.
    fn is_elsewhere(&self, stamp: &Stamp, here: u64) -> bool {
        (stamp.run == self.run && place(stamp) != here)
            || (stamp.run.guest == self.run.guest && stamp.run.map != self.run.map)
    }
}

fn place(stamp: &Stamp) -> u64 {
    stamp.offset.saturating_add(place_in(stamp.sector))
}

fn place_in(sector: u32) -> u64 {
    u64::from(sector) * SECTOR as u64
}

/// Summary of a block's sectors as read.
#[derive(Debug, Default)]
struct View {
    /// Oldest and newest generation.
    range: Option<(u32, u32)>,
    /// The first intact stamp that belongs elsewhere.
    elsewhere: Option<Stamp>,
    /// The first sector that contains neither a stamp nor zeros.
    unknown: Option<u32>,
}

impl View {
    fn saw(&mut self, generation: u32) {
        let (old, new) = self.range.unwrap_or((generation, generation));
        self.range = Some((old.min(generation), new.max(generation)));
    }
}

/// Judges a block. `Ok` is the newest generation in it.
fn judge(block: Block, view: &View) -> Result<u32, CorruptionKind> {
    if view.elsewhere.is_some() {
        return Err(CorruptionKind::Misplaced);
    }
    // Before the first acknowledged write a block may contain any foreign data.
    if view.unknown.is_some() && block.acked > 0 {
        return Err(CorruptionKind::Garbled);
    }
    let (oldest, newest) = view.range.unwrap_or((0, 0));
    if newest > block.last {
        return Err(CorruptionKind::Garbled);
    }
    if oldest >= block.acked {
        return Ok(newest);
    }
    if oldest != newest {
        return Err(CorruptionKind::Torn);
    }
    Err(if oldest < block.seen { CorruptionKind::Stale } else { CorruptionKind::Lost })
}

#[cfg(test)]
mod tests;
