//! `[array.hw_handler]`: settings of the personality `hw_handler`.

use std::time::Duration;

use sansim_array::{HwHandlerConfig, PersonalityConfig};

use super::family::Family;
use crate::{
    check::Checker,
    form::{Name, name, table},
    value::{At, TimeSpan},
};

table! {
    /// Settings of the personality `hw_handler`.
    pub(super) struct HwHandler, "a table" {
        /// Settings of the personality `hw_handler`.
        hw_handler: Option<At<HwHandlerTable>>,
    }
}

table! {
    /// Settings of the personality `hw_handler`.
    struct HwHandlerTable, "a table" {
        /// The duration of a switch-over. During it, START STOP UNIT returns 02/04/03. Default:
        /// "0s".
        switch_over: Option<Name<TimeSpan>>,
    }
}

impl Family for HwHandler {
    const NAME: &'static str = "hw_handler";
    const ABOUT: &'static str = "A generic active/passive array for your own hardware handlers: switched by START STOP UNIT, and not recognised by any kernel.";

    fn check(&self, _: &mut Checker<'_>) -> PersonalityConfig {
        let table = self.hw_handler.as_ref();
        let switch_over = table.and_then(|table| table.switch_over.as_ref());
        let switch_over = switch_over.map_or(Duration::ZERO, |span| span.0.0);
        PersonalityConfig::HwHandler(HwHandlerConfig { switch_over })
    }

    fn of(personality: &PersonalityConfig) -> Option<Self> {
        let PersonalityConfig::HwHandler(config) = personality else { return None };
        let table = HwHandlerTable { switch_over: Some(name(TimeSpan(config.switch_over))) };
        Some(HwHandler { hw_handler: Some(At::nowhere(table)) })
    }
}
