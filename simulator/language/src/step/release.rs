//! `release`: the commands under a hold are released.

use std::sync::Arc;

use sansim_array::Action;

use super::ArrayWord;
use crate::{
    check::Checker,
    form::{Spoken, table},
    value::At,
};

table! {
    /// The commands under a hold are released.
    pub(crate) struct Release, "a step" {
        /// Releases the commands that are held under this name. Later commands are not held.
        pub(super) release: At<String>,
    }
}

impl ArrayWord for Release {
    const EXAMPLE: &'static str = r#"release = "gate""#;
    const SPOKEN: Spoken = Spoken::of("hold");

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        let hold: Arc<str> = Arc::from(checker.hold(&self.release));
        checker.releases(&hold);
        Action::Release { hold }
    }

    fn of(action: &Action) -> Option<Self> {
        let Action::Release { hold } = action else { return None };
        Some(Release { release: At::nowhere(hold.to_string()) })
    }

    fn words(action: &Action) -> Option<String> {
        let Action::Release { hold } = action else { return None };
        Some(format!("release hold {hold:?}"))
    }
}
