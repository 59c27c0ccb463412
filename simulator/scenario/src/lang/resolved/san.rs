//! `[array]` and `[hba]`.

use sansim_array::{LunConfig, Quiescence};

use super::{at, name, span};
use crate::lang::{
    file::{self, PersonalityName, QuiescenceName, RdacModeName},
    plan::{Array, Personality, RdacMode, Scenario},
    value::Size,
};

pub(super) fn array(array: &Array) -> file::Array {
    let identity = &array.identity;
    let (personality, rdac) = match array.personality {
        Personality::Rdac(rdac) => {
            let mode = match rdac.mode {
                RdacMode::Rdac => RdacModeName::Rdac,
                RdacMode::Avt => RdacModeName::Avt,
                RdacMode::IoShip => RdacModeName::Ioship,
            };
            let quiescence = match rdac.quiescence {
                Quiescence::NotReady => QuiescenceName::NotReady,
                Quiescence::Achieved => QuiescenceName::Achieved,
                Quiescence::UnitAttention => QuiescenceName::UnitAttention,
            };
            let table = file::Rdac {
                mode: Some(mode),
                max_luns: Some(at(rdac.max_luns.into())),
                quiescence: Some(quiescence),
            };
            (PersonalityName::Rdac, Some(at(table)))
        }
    };
    file::Array {
        personality,
        vendor: Some(at(identity.vendor.clone())),
        product: Some(at(identity.product.clone())),
        revision: Some(at(identity.revision.clone())),
        serial: Some(at(identity.serial.clone())),
        name: Some(at(identity.name.clone())),
        luns: at(array.luns.iter().map(|config| at(lun(config))).collect()),
        controllers: Some(at(array.controllers.into())),
        ports_per_controller: Some(at(array.ports_per_controller.into())),
        rdac,
    }
}

pub(super) fn lun(config: &LunConfig) -> file::LunTable {
    file::LunTable {
        size: name(Size(config.bytes)),
        owner: name(config.owner),
        preferred: Some(name(config.preferred)),
        lun: Some(at(config.lun.0.into())),
        block_size: Some(name(Size(config.block_bytes.into()))),
        read_only: Some(config.read_only),
        label: Some(at(config.label.clone())),
    }
}

pub(super) fn hba(scenario: &Scenario) -> file::Hba {
    let targets =
        scenario.hbas.iter().map(|hba| at(hba.targets.iter().copied().map(name).collect()));
    file::Hba {
        count: Some(at(scenario.hbas.len() as u64)),
        targets: Some(at(targets.collect())),
        request_queues: scenario.hbas.first().map(|hba| at(hba.request_queues.into())),
        command_timeout: Some(span(scenario.command_timeout)),
    }
}
