//! Injects every kind of corruption into a model disk; the ledger must distinguish them.

use proptest::prelude::*;

use super::*;

const BLOCK: usize = 4096;
const SECTORS: usize = BLOCK / SECTOR;
const BLOCKS: usize = 4;

const RUN: Run = Run { guest: 7, map: 0, number: 0 };

/// A ledger over a disk in memory that a test can corrupt.
struct Disk {
    ledger: Ledger,
    data: Vec<[u8; SECTOR]>,
}

impl Disk {
    fn new() -> Disk {
        Disk {
            ledger: Ledger::new(RUN, BLOCK as u32, BLOCKS),
            data: vec![[0; SECTOR]; 4 * SECTORS],
        }
    }

    fn block(&mut self, block: usize) -> &mut [[u8; SECTOR]] {
        &mut self.data[block * SECTORS..(block + 1) * SECTORS]
    }

    /// Writes a block. Only the sectors in `stored` reach the disk; `ok` is the status that the guest gets.
    fn write_with(&mut self, block: usize, stored: std::ops::Range<usize>, ok: bool) {
        let mut buffer = [[0; SECTOR]; SECTORS];
        self.ledger.begin_write(block, buffer.iter_mut());
        self.block(block)[stored.clone()].copy_from_slice(&buffer[stored]);
        self.ledger.end_write(block, ok);
    }

    fn write(&mut self, block: usize) {
        self.write_with(block, 0..SECTORS, true);
    }

    fn read(&mut self, block: usize) -> Option<CorruptionKind> {
        self.ledger.begin_read(block);
        let data = self.block(block).to_vec();
        self.ledger.end_read(block, data.iter()).map(|finding| finding.kind)
    }
}

#[test]
fn good_data_is_good() {
    let mut disk = Disk::new();
    assert_eq!(disk.read(0), None);
    for _ in 0..3 {
        disk.write(0);
        assert_eq!(disk.read(0), None);
    }
}

#[test]
fn old_data_that_comes_back_is_stale() {
    let mut disk = Disk::new();
    disk.write(1);
    let old = disk.block(1).to_vec();
    disk.write(1);
    assert_eq!(disk.read(1), None);
    disk.block(1).copy_from_slice(&old);
    assert_eq!(disk.read(1), Some(CorruptionKind::Stale));
}

#[test]
fn an_acknowledged_write_that_never_shows_is_lost() {
    let mut disk = Disk::new();
    disk.write_with(0, 0..0, true);
    assert_eq!(disk.read(0), Some(CorruptionKind::Lost), "on a fresh disk");
    disk.write(1);
    assert_eq!(disk.read(1), None);
    disk.write_with(1, 0..0, true);
    assert_eq!(disk.read(1), Some(CorruptionKind::Lost), "over an older generation");
}

#[test]
fn what_an_earlier_run_left_is_not_this_ones() {
    let later = Run { number: 1, ..RUN };
    let next_guest = Run { guest: 8, ..RUN };
    for run in [later, next_guest] {
        let mut disk = Disk::new();
        disk.write(2);
        let other_place = disk.block(2).to_vec();
        disk.block(3).copy_from_slice(&other_place);
        disk.ledger = Ledger::new(run, BLOCK as u32, BLOCKS);
        assert_eq!(disk.read(2), None);
        assert_eq!(disk.read(3), None);
        disk.write_with(2, 0..0, true);
        assert_eq!(disk.read(2), Some(CorruptionKind::Lost), "a lost write leaves it there");
    }
}

#[test]
fn data_of_another_map_is_misplaced() {
    let (mut one, mut other) = (Disk::new(), Disk::new());
    other.ledger = Ledger::new(Run { map: 1, number: 1, ..RUN }, BLOCK as u32, BLOCKS);
    other.write(2);
    let data = other.block(2).to_vec();
    one.block(2).copy_from_slice(&data);
    assert_eq!(one.read(2), Some(CorruptionKind::Misplaced));
}

#[test]
fn half_a_write_is_torn_if_it_was_acknowledged() {
    let mut disk = Disk::new();
    disk.write(0);
    disk.write_with(0, 0..3, true);
    assert_eq!(disk.read(0), Some(CorruptionKind::Torn));
    disk.write_with(1, 0..3, true);
    assert_eq!(disk.read(1), Some(CorruptionKind::Torn), "also over zeros");
}

#[test]
fn data_of_another_block_is_misplaced() {
    let mut disk = Disk::new();
    disk.write(0);
    disk.write(3);
    let other = disk.block(3).to_vec();
    disk.block(0).copy_from_slice(&other);
    assert_eq!(disk.read(0), Some(CorruptionKind::Misplaced));
    disk.block(1)[5] = other[5];
    assert_eq!(disk.read(1), Some(CorruptionKind::Misplaced), "even where nothing was written yet");
    disk.block(3).swap(1, 2);
    assert_eq!(disk.read(3), Some(CorruptionKind::Misplaced), "sectors in the wrong order");
}

#[test]
fn bytes_that_nobody_wrote_are_garbled() {
    let mut disk = Disk::new();
    disk.write(0);
    disk.block(0)[7][100] ^= 0x10;
    assert_eq!(disk.read(0), Some(CorruptionKind::Garbled));
    disk.block(1)[0] = [0x5a; SECTOR];
    assert_eq!(disk.read(1), None, "what was there before the first write is not ours to judge");
}

#[test]
fn a_failed_write_leaves_both_generations_acceptable_until_the_next_good_one() {
    let mut disk = Disk::new();
    disk.write(0);
    let old = disk.block(0).to_vec();
    disk.write_with(0, 0..SECTORS, false);
    assert_eq!(disk.read(0), None, "it may have landed");
    disk.block(0).copy_from_slice(&old);
    assert_eq!(disk.read(0), None, "or not");
    disk.write_with(0, 0..4, false);
    assert_eq!(disk.read(0), None, "or in part");
    disk.write(0);
    disk.block(0).copy_from_slice(&old);
    assert_eq!(disk.read(0), Some(CorruptionKind::Stale), "but not after a good write");
}

#[test]
fn a_wrong_block_is_counted_once_until_it_is_written_again() {
    let mut disk = Disk::new();
    disk.write_with(0, 0..0, true);
    assert_eq!(disk.read(0), Some(CorruptionKind::Lost));
    assert_eq!(disk.read(0), None);
    disk.write_with(0, 0..0, true);
    assert_eq!(disk.read(0), Some(CorruptionKind::Lost));
}

#[test]
fn the_detail_says_what_was_expected_and_found() {
    let mut disk = Disk::new();
    disk.write(0);
    assert_eq!(disk.read(0), None);
    disk.write_with(0, 0..0, true);
    disk.ledger.begin_read(0);
    let data = disk.block(0).to_vec();
    let finding = disk.ledger.end_read(0, data.iter()).unwrap();
    assert_eq!(finding.detail, "expected generation 2 (read back before: 1), found generation 1");
}

proptest! {
    /// A disk that works correctly is never reported as corrupt, whichever requests fail and however much
    /// of a failed write was stored.
    #[test]
    fn an_honest_disk_is_never_accused(
        ops in prop::collection::vec((0..BLOCKS, 0..4u8, 0..=SECTORS), 1..200)
    ) {
        let mut disk = Disk::new();
        for (block, kind, reach) in ops {
            match kind {
                0 => disk.write(block),
                1 => disk.write_with(block, 0..reach, false),
                2 => disk.write_with(block, reach..SECTORS, false),
                _ => prop_assert_eq!(disk.read(block), None),
            }
        }
        for block in 0..BLOCKS {
            prop_assert_eq!(disk.read(block), None);
        }
    }

    /// After any correct history, restoring an earlier image of a block is `Stale` if the newest data had
    /// been read, and `Lost` if not.
    #[test]
    fn going_back_is_stale_or_lost(writes in 1..6usize, back in 1..6usize, was_read: bool) {
        let mut disk = Disk::new();
        let mut images = vec![disk.block(0).to_vec()];
        for _ in 0..writes {
            disk.write(0);
            images.push(disk.block(0).to_vec());
        }
        if was_read {
            prop_assert_eq!(disk.read(0), None);
        }
        let image = &images[writes.saturating_sub(back)];
        disk.block(0).copy_from_slice(image);
        let expected = if was_read { CorruptionKind::Stale } else { CorruptionKind::Lost };
        prop_assert_eq!(disk.read(0), Some(expected));
    }
}
