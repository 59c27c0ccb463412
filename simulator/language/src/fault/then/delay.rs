//! `delay`: a command is delayed for a time.

use super::{EffectWord, Effects, Sort};
use crate::{
    check::Checker,
    form::table,
    value::{At, DelayTime},
};

table! {
    /// A command is delayed for a time.
    pub(super) struct Delay, "`delay`" {
        /// Delays the command by this time: "10ms", { from = "1ms", to = "20ms" } for a uniform
        /// distribution, or { mean = "5ms" } for an exponential distribution.
        delay: At<DelayTime>,
    }
}

impl EffectWord for Delay {
    const EXAMPLE: &'static str = r#"delay = { from = "1ms", to = "20ms" }"#;
    const SORT: Sort = Sort::Wait;

    fn add(&self, effects: &mut Effects, checker: &mut Checker<'_>) {
        if self.delay.is_backwards() {
            let help = "`from` must not be after `to`";
            checker.refuse(&self.delay.span, "this range is empty", help);
        }
        effects.wait.delay = Some(self.delay.value.0);
    }

    fn of(effects: &Effects) -> Option<Self> {
        Some(Delay { delay: At::nowhere(DelayTime(effects.wait.delay?)) })
    }
}
