//! `lose`: a command or its answer gets lost.

use sansim_array::Lose;

use super::{EffectWord, Effects, Sort};
use crate::{
    check::Checker,
    form::{table, words},
    value::At,
};

table! {
    /// A command or its answer gets lost.
    pub(super) struct Lost, "`lose`" {
        /// The command or its answer gets lost.
        lose: At<LoseName>,
    }
}

words! {
    /// What gets lost.
    enum LoseName for Lose {
        /// The command: it is never carried out.
        Command = "command",
        /// The answer: the command is carried out.
        Reply = "reply",
        /// The command, and the HBA never gives up on it.
        Forever = "forever",
    }
}

impl EffectWord for Lost {
    const EXAMPLE: &'static str = r#"lose = "reply""#;
    const SORT: Sort = Sort::Loss;

    fn add(&self, effects: &mut Effects, _: &mut Checker<'_>) {
        effects.lose = Some(self.lose.value.into());
    }

    fn of(effects: &Effects) -> Option<Self> {
        Some(Lost { lose: At::nowhere(effects.lose?.into()) })
    }
}
