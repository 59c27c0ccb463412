//! `lose`: a command or its response is lost.

use sansim_array::Lose;

use super::{EffectWord, Effects, Sort};
use crate::{
    check::Checker,
    form::{table, words},
    value::At,
};

table! {
    /// A command or its response is lost.
    pub(super) struct Lost, "`lose`" {
        /// Loses the command or its response.
        lose: At<LoseName>,
    }
}

words! {
    /// What is lost.
    enum LoseName for Lose {
        /// The command, so it is never carried out.
        Command = "command",
        /// The response; the command is carried out.
        Reply = "reply",
        /// The command, and the HBA never times out on it.
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
