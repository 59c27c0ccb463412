//! `[array.rdac]` and its like: what is particular to a family of arrays.

use std::{ops::Range, time::Duration};

use sansim_array::{
    AluaConfig, EmcConfig, HpSwConfig, HwHandlerConfig, InquiryForm, PersonalityConfig, RdacConfig,
};

use super::context::Checker;
use crate::lang::{
    Diagnostic,
    file::{self, MovesName, Name, PersonalityName, RdacModeName},
    value::{At, TimeSpan},
};

pub(super) fn resolve(array: &file::Array, checker: &mut Checker<'_>) -> PersonalityConfig {
    refuse_others(array, checker);
    match array.personality {
        PersonalityName::Rdac => PersonalityConfig::Rdac(rdac(table(&array.rdac), checker)),
        PersonalityName::Emc => PersonalityConfig::Emc(emc(table(&array.emc), checker)),
        PersonalityName::HpSw => PersonalityConfig::HpSw(hp_sw(&table(&array.hp_sw), checker)),
        PersonalityName::HwHandler => {
            PersonalityConfig::HwHandler(hw_handler(&table(&array.hw_handler), checker))
        }
        PersonalityName::Alua => PersonalityConfig::Alua(alua(table(&array.alua), checker)),
    }
}

fn table<T: Clone + Default>(given: &Option<At<T>>) -> T {
    given.as_ref().map(|table| table.value.clone()).unwrap_or_default()
}

/// A table of another personality would say nothing.
fn refuse_others(array: &file::Array, checker: &mut Checker<'_>) {
    fn place<T>(table: &Option<At<T>>) -> Option<&Range<usize>> {
        table.as_ref().map(|table| &table.span)
    }
    let tables = [
        (PersonalityName::Rdac, place(&array.rdac)),
        (PersonalityName::Emc, place(&array.emc)),
        (PersonalityName::HpSw, place(&array.hp_sw)),
        (PersonalityName::HwHandler, place(&array.hw_handler)),
        (PersonalityName::Alua, place(&array.alua)),
    ];
    let own = array.personality;
    for (other, span) in tables {
        let Some(span) = span.filter(|_| other != own) else { continue };
        let problem = format!("this array is of personality \"{}\"", own.name());
        let help = format!("remove it, or write personality = \"{}\"", other.name());
        checker.refuse(span, problem, help);
    }
}

fn rdac(table: file::Rdac, checker: &mut Checker<'_>) -> RdacConfig {
    let default = RdacConfig::default();
    RdacConfig {
        avt: table.mode == Some(RdacModeName::Avt),
        ioship: table.mode == Some(RdacModeName::Ioship),
        max_lun: checker.number(table.max_luns.as_ref(), 1..=255, 255, "`max_luns`") as u8,
        quiescence: table.quiescence.map_or(default.quiescence, Into::into),
        ..default
    }
}

fn emc(table: file::Emc, checker: &mut Checker<'_>) -> EmcConfig {
    let default = EmcConfig::default();
    let short = table.short_inquiry.as_ref().is_some_and(|short| short.value);
    let inquiry = match (&table.model, short) {
        (Some(model), true) => {
            let help = "remove it, or `short_inquiry`";
            checker.refuse(&model.span, "36 bytes of INQUIRY data have no model", help);
            default.inquiry
        }
        (Some(model), false) => {
            let printable = model.chars().all(|c| (' '..='~').contains(&c));
            if !printable || !(1..=16).contains(&model.len()) {
                let problem = "a model is 1 to 16 printable ASCII characters";
                checker.report(&model.span, Diagnostic::error(problem));
            }
            InquiryForm::Model(model.value.clone())
        }
        (None, true) => InquiryForm::Short,
        (None, false) => default.inquiry,
    };
    let version = checker.number(table.inquiry_version.as_ref(), 2..=6, 4, "`inquiry_version`");
    EmcConfig {
        failover_mode: table.failover_mode.map_or(default.failover_mode, Into::into),
        inquiry,
        version: version as u8,
    }
}

fn hp_sw(table: &file::HpSw, checker: &Checker<'_>) -> HpSwConfig {
    HpSwConfig {
        switch_over: span(table.switch_over.as_ref(), checker),
        whole_controller: table.moves != Some(MovesName::Lun),
    }
}

fn hw_handler(table: &file::HwHandler, checker: &Checker<'_>) -> HwHandlerConfig {
    HwHandlerConfig { switch_over: span(table.switch_over.as_ref(), checker) }
}

fn alua(table: file::Alua, checker: &mut Checker<'_>) -> AluaConfig {
    let default = AluaConfig::default();
    let time = checker.number(table.transition_time.as_ref(), 0..=255, 0, "`transition_time`");
    AluaConfig {
        tpgs: table.tpgs.map_or(default.tpgs, Into::into),
        non_owner: table.non_owner.as_ref().map_or(default.non_owner, |state| state.0),
        groups: table.groups.map_or(default.groups, Into::into),
        extended_header: table.extended_header.unwrap_or(default.extended_header),
        transition_time: time as u8,
        transition: span(table.transition.as_ref(), checker),
        scope: table.scope.map_or(default.scope, Into::into),
        reporting: table.reporting.map_or(default.reporting, Into::into),
        preferred_bit: table.preferred_bit.unwrap_or(default.preferred_bit),
        implicit_fails: table.implicit_fails.unwrap_or(default.implicit_fails),
        reserved_bits: checker.number(table.reserved_bits.as_ref(), 0..=7, 0, "`reserved_bits`")
            as u8,
        lun_designator: table.lun_designator.unwrap_or(default.lun_designator),
    }
}

fn span(given: Option<&Name<TimeSpan>>, checker: &Checker<'_>) -> Duration {
    checker.span_or(given, Duration::ZERO)
}
