//! `short`: the guest gets only part of the data.

use sansim_array::OpMatcher;

use super::{super::operations::sends_data, EffectWord, Effects, Sort};
use crate::{
    check::Checker,
    form::{Name, name, table},
    value::Size,
};

table! {
    /// The guest gets only part of the data.
    pub(super) struct Short, "`short`" {
        /// Carries the command out, but transfers only this much of its data to the guest and sets
        /// the residual accordingly.
        short: Name<Size>,
    }
}

impl EffectWord for Short {
    const EXAMPLE: &'static str = r#"short = "512B""#;
    const SORT: Sort = Sort::Data;

    fn add(&self, effects: &mut Effects, _: &mut Checker<'_>) {
        effects.data.short = Some(u32::try_from(self.short.0.0).unwrap_or(u32::MAX));
    }

    fn of(effects: &Effects) -> Option<Self> {
        Some(Short { short: name(Size(effects.data.short?.into())) })
    }

    fn check_operation(&self, op: OpMatcher, checker: &mut Checker<'_>) {
        if !sends_data(op) {
            let problem = format!("{op} has no data that could come short");
            checker.refuse(&self.short.span, problem, "write another `op`, or leave it away");
        }
    }
}
