//! The contents of each 512-byte sector that a workload writes, so that a misplaced sector is recognised.
//!
//! ```text
//!  0  magic        8   16  block offset  8   28  generation  4
//!  8  run          8   24  sector        4   32  checksum    8   40  filler, 59 words
//! ```
//!
//! All little endian. The checksum covers the five fields before it, and the filler is a function of the
//! checksum: a sector with a single bit changed anywhere is not a stamp.

pub(crate) const SECTOR: usize = 512;

const MAGIC: u64 = u64::from_le_bytes(*b"sansim\x01\n");
const FILLER: usize = 40;

/// Identifies a run of a workload: which guest, which map, and which run on this map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    /// Distinguishes this guest's data from an earlier guest's on the same disk.
    pub(crate) guest: u32,
    /// Index of the map in this guest.
    pub(crate) map: u16,
    /// Counts the runs in this guest.
    pub(crate) number: u16,
}

impl Run {
    fn encode(self) -> u64 {
        (u64::from(self.guest) << 32) | (u64::from(self.map) << 16) | u64::from(self.number)
    }

    fn decode(word: u64) -> Run {
        Run { guest: (word >> 32) as u32, map: (word >> 16) as u16, number: word as u16 }
    }
}

/// Identifies a sector: the run that wrote it, its place, and its generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) run: Run,
    /// Start of the block, in bytes from the start of the map.
    pub(crate) offset: u64,
    /// Index of the sector in its block, from 0.
    pub(crate) sector: u32,
    /// Which write of the block this is, from 1.
    pub(crate) generation: u32,
}

/// Classifies the contents of a sector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// Only zeros: never written on a fresh disk.
    Zero,
    /// An intact stamp, of any run and place.
    Stamp(Stamp),
    /// Other bytes, or a damaged stamp.
    Unknown,
}

impl Stamp {
    /// Writes the stamp and its filler.
    pub(crate) fn write(&self, sector: &mut [u8; SECTOR]) {
        let checksum = self.checksum();
        sector[0..8].copy_from_slice(&MAGIC.to_le_bytes());
        sector[8..16].copy_from_slice(&self.run.encode().to_le_bytes());
        sector[16..24].copy_from_slice(&self.offset.to_le_bytes());
        sector[24..28].copy_from_slice(&self.sector.to_le_bytes());
        sector[28..32].copy_from_slice(&self.generation.to_le_bytes());
        sector[32..40].copy_from_slice(&checksum.to_le_bytes());
        let mut word = checksum;
        for filler in sector[FILLER..].chunks_exact_mut(8) {
            word = next_word(word);
            filler.copy_from_slice(&word.to_le_bytes());
        }
    }

    fn checksum(&self) -> u64 {
        let place = (u64::from(self.sector) << 32) | u64::from(self.generation);
        [self.run.encode(), self.offset, place]
            .iter()
            .fold(MAGIC, |sum, field| mix(sum ^ mix(*field)))
    }
}

impl Content {
    /// Classifies the bytes of a sector.
    pub(crate) fn of(sector: &[u8; SECTOR]) -> Content {
        if u64_at(sector, 0) != MAGIC {
            let zero = sector.iter().all(|byte| *byte == 0);
            return if zero { Content::Zero } else { Content::Unknown };
        }
        let place = u64_at(sector, 24);
        let stamp = Stamp {
            run: Run::decode(u64_at(sector, 8)),
            offset: u64_at(sector, 16),
            sector: place as u32,
            generation: (place >> 32) as u32,
        };
        let checksum = stamp.checksum();
        let mut word = checksum;
        let intact = u64_at(sector, 32) == checksum
            && sector[FILLER..].chunks_exact(8).all(|filler| {
                word = next_word(word);
                filler == word.to_le_bytes()
            });
        if intact { Content::Stamp(stamp) } else { Content::Unknown }
    }
}

fn u64_at(sector: &[u8; SECTOR], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&sector[at..at + 8]);
    u64::from_le_bytes(word)
}

/// The next word of the filler, by a linear congruential step, cheap in an emulated guest.
fn next_word(word: u64) -> u64 {
    word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407)
}

/// Spreads every input bit over the whole word (the finalizer of SplitMix64).
pub(crate) fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stamps() -> impl Strategy<Value = Stamp> {
        (any::<u64>(), any::<u64>(), any::<u32>(), any::<u32>()).prop_map(
            |(run, offset, sector, generation)| Stamp {
                run: Run::decode(run),
                offset,
                sector,
                generation,
            },
        )
    }

    proptest! {
        #[test]
        fn a_stamp_is_read_as_it_was_written(stamp in stamps()) {
            let mut sector = [0xee; SECTOR];
            stamp.write(&mut sector);
            prop_assert_eq!(Content::of(&sector), Content::Stamp(stamp));
        }

        #[test]
        fn one_changed_bit_anywhere_is_seen(stamp in stamps(), bit in 0..SECTOR * 8) {
            let mut sector = [0; SECTOR];
            stamp.write(&mut sector);
            sector[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(Content::of(&sector), Content::Unknown);
        }
    }

    #[test]
    fn zeros_are_told_from_a_single_stray_bit() {
        let mut sector = [0; SECTOR];
        assert_eq!(Content::of(&sector), Content::Zero);
        sector[511] = 1;
        assert_eq!(Content::of(&sector), Content::Unknown);
    }
}
