//! `[array]` and `[hba]`.

use sansim_array::{CapturedPage, LunConfig, OwnershipPolicy};

use super::{at, name, personality, span};
use crate::lang::{
    file::{self, PageName, PersonalityName},
    plan::{Array, Scenario},
    value::{At, Size},
};

pub(super) fn array(array: &Array) -> file::Array {
    let identity = &array.identity;
    let mut table = file::Array {
        model: None,
        personality: PersonalityName::of(&array.personality),
        vendor: Some(at(identity.vendor.clone())),
        product: Some(at(identity.product.clone())),
        revision: Some(at(identity.revision.clone())),
        serial: Some(at(identity.serial.clone())),
        name: Some(at(identity.name.clone())),
        luns: at(array.luns.iter().map(|config| at(lun(config))).collect()),
        controllers: Some(at(array.controllers.into())),
        ports_per_controller: Some(at(array.ports_per_controller.into())),
        unplugged: (!array.unplugged.is_empty())
            .then(|| at(array.unplugged.iter().copied().map(name).collect())),
        captured: array.captured.iter().map(|page| at(captured(page))).collect(),
        ownership: ownership(&array.ownership),
        rdac: None,
        emc: None,
        hp_sw: None,
        hw_handler: None,
        alua: None,
    };
    personality::put(&array.personality, &mut table);
    table
}

fn ownership(policy: &OwnershipPolicy) -> Option<At<file::Ownership>> {
    let table = file::Ownership {
        takeover: policy.takeover.map(span),
        failback: policy.failback.map(span),
        follow_io: policy.follow_io.map(|count| at(count.get().into())),
        ping_pong: policy.ping_pong.map(span),
    };
    (*policy != OwnershipPolicy::default()).then(|| at(table))
}

fn captured(page: &CapturedPage) -> file::Captured {
    let hex: Vec<String> = page.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    file::Captured {
        page: name(PageName(page.page)),
        hex: Some(at(hex.join(" "))),
        file: None,
        controller: page.controller.map(name),
        lun: page.lun.map(|lun| at(lun.0.into())),
        frozen: Some(page.frozen),
        // It was taken when it was checked first.
        force: Some(true),
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
