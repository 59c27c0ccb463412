//! `corrupt`: a read or write is carried out otherwise than it should be.

use sansim_array::{Corruption, OpMatcher};

use super::{super::operations::covers_some, EffectWord, Effects, Sort};
use crate::{
    check::Checker,
    form::{table, words},
    value::At,
};

table! {
    /// A read or write is carried out otherwise than it should be.
    pub(super) struct Corrupt, "`corrupt`" {
        /// A read or write is carried out otherwise than it should be, and nobody is told.
        corrupt: At<CorruptionName>,
    }
}

words! {
    /// How data goes wrong without anybody's saying so.
    enum CorruptionName for Corruption {
        /// One bit of the first block is another one: in the guest, or in the LUN.
        BitFlip = "bit-flip",
        /// The write is not done, so that later reads find what was there before.
        DroppedWrite = "dropped-write",
        /// The write lands in other blocks.
        MisdirectedWrite = "misdirected-write",
        /// The read finds what was there before the blocks were written the last time.
        StaleRead = "stale-read",
        /// Only the first blocks of the write land, or none, as after a loss of power.
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
