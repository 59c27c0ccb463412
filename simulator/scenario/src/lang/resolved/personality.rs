//! `[array.rdac]` and its like.

use sansim_array::{
    AluaConfig, EmcConfig, HpSwConfig, HwHandlerConfig, InquiryForm, PersonalityConfig, RdacConfig,
};

use super::{at, name, span};
use crate::lang::file::{self, MovesName, RdacModeName};

/// Puts what is particular to a personality into its table.
pub(super) fn put(personality: &PersonalityConfig, array: &mut file::Array) {
    match personality {
        PersonalityConfig::Rdac(config) => array.rdac = Some(at(rdac(config))),
        PersonalityConfig::Emc(config) => array.emc = Some(at(emc(config))),
        PersonalityConfig::HpSw(config) => array.hp_sw = Some(at(hp_sw(config))),
        PersonalityConfig::HwHandler(config) => array.hw_handler = Some(at(hw_handler(config))),
        PersonalityConfig::Alua(config) => array.alua = Some(at(alua(config))),
    }
}

fn rdac(config: &RdacConfig) -> file::Rdac {
    let mode = match (config.avt, config.ioship) {
        (_, true) => RdacModeName::Ioship,
        (true, false) => RdacModeName::Avt,
        (false, false) => RdacModeName::Rdac,
    };
    file::Rdac {
        mode: Some(mode),
        max_luns: Some(at(config.max_lun.into())),
        quiescence: Some(config.quiescence.into()),
    }
}

fn emc(config: &EmcConfig) -> file::Emc {
    let (model, short_inquiry) = match &config.inquiry {
        InquiryForm::Short => (None, Some(at(true))),
        InquiryForm::Model(model) => (Some(at(model.clone())), None),
    };
    file::Emc {
        failover_mode: Some(config.failover_mode.into()),
        model,
        short_inquiry,
        inquiry_version: Some(at(config.version.into())),
    }
}

fn hp_sw(config: &HpSwConfig) -> file::HpSw {
    let moves = if config.whole_controller { MovesName::Controller } else { MovesName::Lun };
    file::HpSw { switch_over: Some(span(config.switch_over)), moves: Some(moves) }
}

fn hw_handler(config: &HwHandlerConfig) -> file::HwHandler {
    file::HwHandler { switch_over: Some(span(config.switch_over)) }
}

fn alua(config: &AluaConfig) -> file::Alua {
    file::Alua {
        tpgs: Some(config.tpgs.into()),
        non_owner: Some(name(config.non_owner)),
        groups: Some(config.groups.into()),
        extended_header: Some(config.extended_header),
        transition_time: Some(at(config.transition_time.into())),
        transition: Some(span(config.transition)),
        scope: Some(config.scope.into()),
        reporting: Some(config.reporting.into()),
        preferred_bit: Some(config.preferred_bit),
        implicit_fails: Some(config.implicit_fails),
        reserved_bits: Some(at(config.reserved_bits.into())),
        lun_designator: Some(config.lun_designator),
    }
}
