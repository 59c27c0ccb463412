//! `hold`: a command is held until a step releases it.

use std::sync::Arc;

use super::{EffectWord, Effects, Sort};
use crate::{check::Checker, form::table, value::At};

table! {
    /// A command is held until a step releases it.
    pub(super) struct Hold, "`hold`" {
        /// Holds the command until a step releases the hold with this name.
        hold: At<String>,
    }
}

impl EffectWord for Hold {
    const EXAMPLE: &'static str = r#"hold = "gate""#;
    const SORT: Sort = Sort::Wait;

    fn add(&self, effects: &mut Effects, _: &mut Checker<'_>) {
        effects.wait.hold = Some(Arc::from(self.hold.value.as_str()));
    }

    fn of(effects: &Effects) -> Option<Self> {
        Some(Hold { hold: At::nowhere(effects.wait.hold.as_ref()?.to_string()) })
    }

    fn hold(&self) -> Option<&At<String>> {
        Some(&self.hold)
    }
}
