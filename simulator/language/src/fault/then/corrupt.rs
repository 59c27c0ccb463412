//! `corrupt`: the data of a read or write is corrupted.

use sansim_array::{Corruption, OpMatcher};

use super::{super::operations::covers_some, EffectWord, Effects, Sort};
use crate::{
    check::Checker,
    form::{table, words},
    value::At,
};

table! {
    /// The data of a read or write is corrupted.
    pub(super) struct Corrupt, "`corrupt`" {
        /// Silently corrupts the data of a read or write: the command succeeds.
        corrupt: At<CorruptionName>,
    }
}

words! {
    /// How data is silently corrupted.
    enum CorruptionName for Corruption {
        /// One bit of the first block is inverted: for a read, in the data that the guest gets; for
        /// a write, in the LUN.
        BitFlip = "bit-flip",
        /// The write is dropped, so that later reads return the old data.
        DroppedWrite = "dropped-write",
        /// The data is written to other blocks.
        MisdirectedWrite = "misdirected-write",
        /// The read returns the data from before the last write to these blocks.
        StaleRead = "stale-read",
        /// Only the first blocks, or none, are written, as after a power failure.
        TornWrite = "torn-write",
    }
}

impl EffectWord for Corrupt {
    const EXAMPLE: &'static str = r#"corrupt = "bit-flip""#;
    const SORT: Sort = Sort::Data;

    fn add(&self, effects: &mut Effects, _: &mut Checker<'_>) {
        effects.data.corrupt = Some(self.corrupt.value.into());
    }

    fn of(effects: &Effects) -> Option<Self> {
        Some(Corrupt { corrupt: At::nowhere(effects.data.corrupt?.into()) })
    }

    fn check_operation(&self, op: OpMatcher, checker: &mut Checker<'_>) {
        let (reads, writes) = (covers_some(op, "READ"), covers_some(op, "WRITE"));
        let (possible, what) = match Corruption::from(self.corrupt.value) {
            Corruption::BitFlip => (reads || writes, "a bit could flip in"),
            Corruption::DroppedWrite | Corruption::MisdirectedWrite | Corruption::TornWrite => {
                (writes, "could be written elsewhere or not at all")
            }
            Corruption::StaleRead => (reads, "could be an old one's"),
        };
        if !possible {
            let problem = format!("{op} has no data that {what}");
            checker.refuse(&self.corrupt.span, problem, "write another `op`, or leave it away");
        }
    }
}
