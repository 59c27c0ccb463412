//! `[array]` and `[hba]`.

use std::num::NonZeroU32;

use sansim_array::{
    ControllerId, HbaId, Identity, Lun, LunConfig, OwnershipPolicy, PersonalityConfig, PortId,
};

use super::{captured, context::Checker, personality};
use crate::lang::{
    Diagnostic,
    file::{self, PersonalityName},
    plan::{Array, Hba},
    value::{At, TimeSpan},
};

pub(super) fn resolve(scenario: &str, array: &file::Array, checker: &mut Checker<'_>) -> Array {
    let personality = personality::resolve(array, checker);
    let mut identity = personality.identity();
    resolve_identity(array, &mut identity, checker);
    // The other families know one alternate controller, and tell two apart.
    let most = if array.personality == PersonalityName::Alua { 8 } else { 2 };
    let controllers =
        checker.number(array.controllers.as_ref(), 1..=most, 2, "the number of controllers");
    let ports =
        checker.number(array.ports_per_controller.as_ref(), 1..=10, 2, "the number of ports");
    checker.shape.controllers = controllers as u8;
    checker.shape.ports = ports as u8;
    checker.shape.max_lun = personality.max_lun();
    let luns = resolve_luns(&array.luns, checker);
    let unplugged = array.unplugged.iter().flat_map(|ports| ports.iter());
    let unplugged = unplugged.map(|port| checker.port(port)).collect();
    let ownership = ownership(array, &personality, checker);
    let captured = captured::resolve(scenario, &array.captured, &personality, checker);
    Array {
        personality,
        identity,
        ownership,
        captured,
        controllers: controllers as u8,
        ports_per_controller: ports as u8,
        unplugged,
        luns,
    }
}

fn ownership(
    array: &file::Array,
    personality: &PersonalityConfig,
    checker: &mut Checker<'_>,
) -> OwnershipPolicy {
    let Some(table) = &array.ownership else { return OwnershipPolicy::default() };
    if let Some(every) = table.ping_pong.as_ref().filter(|every| every.0.0.is_zero()) {
        checker.refuse(&every.span, "LUNs cannot change hands all the time", "write \"1s\"");
    }
    if let Some(count) = &table.follow_io
        && !personality.others_serve()
    {
        let problem = "a controller that does not own a LUN of this array refuses its I/O";
        let help = "`follow_io` is for `alua` with non_owner = \"active/non-optimized\" or \
                    \"lba-dependent\", and for `rdac` with mode = \"ioship\"";
        checker.refuse(&count.span, problem, help);
    }
    let span = |given: &Option<file::Name<TimeSpan>>| given.as_ref().map(|span| span.0.0);
    let most = u64::from(u32::MAX);
    let accesses = checker.number(table.follow_io.as_ref(), 1..=most, 0, "`follow_io`");
    OwnershipPolicy {
        takeover: span(&table.takeover),
        failback: span(&table.failback),
        follow_io: NonZeroU32::new(accesses as u32),
        ping_pong: span(&table.ping_pong),
    }
}

fn resolve_identity(array: &file::Array, identity: &mut Identity, checker: &mut Checker<'_>) {
    let fields = [
        (&array.vendor, &mut identity.vendor, 1..=8, "a vendor"),
        (&array.product, &mut identity.product, 1..=16, "a product"),
        (&array.revision, &mut identity.revision, 0..=4, "a revision"),
        (&array.serial, &mut identity.serial, 1..=16, "a serial number"),
        (&array.name, &mut identity.name, 1..=30, "an array's name"),
    ];
    for (given, field, length, what) in fields {
        let Some(given) = given else { continue };
        if !length.contains(&given.len()) || !given.chars().all(|c| (' '..='~').contains(&c)) {
            let (low, high) = length.into_inner();
            let problem = format!("{what} is {low} to {high} printable ASCII characters");
            checker.report(&given.span, Diagnostic::error(problem));
        }
        field.clone_from(&given.value);
    }
}

fn resolve_luns(luns: &At<Vec<At<file::LunTable>>>, checker: &mut Checker<'_>) -> Vec<LunConfig> {
    if luns.is_empty() || luns.len() > LunConfig::MAX_COUNT {
        let help = "write for instance luns = [{ size = \"256MiB\", owner = \"A\" }]";
        let problem = format!("an array has 1 to {} LUNs", LunConfig::MAX_COUNT);
        checker.refuse(&luns.span, problem, help);
    }
    let mut resolved: Vec<LunConfig> = Vec::new();
    for (index, table) in luns.iter().enumerate() {
        let lun = resolve_lun(table, index as u64, checker);
        if resolved.iter().any(|other| other.lun == lun.lun) {
            let span = table.lun.as_ref().map_or(&table.span, |lun| &lun.span);
            let help = "a LUN without a number gets its place in the list, from 0";
            checker.refuse(span, format!("there is another LUN {}", lun.lun), help);
        }
        resolved.push(lun);
    }
    resolved
}

/// A LUN; `number` is what it gets unless it is given one.
pub(super) fn resolve_lun(
    table: &At<file::LunTable>,
    number: u64,
    checker: &mut Checker<'_>,
) -> LunConfig {
    let lun = lun_number(table, number, checker);
    let owner = checker.controller(&table.owner);
    let preferred = table.preferred.as_ref().map_or(owner, |name| checker.controller(name));
    let block_bytes = match table.block_size.as_ref().map(|size| (size.0.0, &size.span)) {
        None | Some((512, _)) => 512,
        Some((4096, _)) => 4096,
        Some((_, span)) => {
            checker.refuse(span, "no array has blocks of this size", "write \"512B\" or \"4KiB\"");
            512
        }
    };
    let bytes = table.size.0.0;
    if bytes == 0 || bytes > LunConfig::MAX_BYTES || !bytes.is_multiple_of(block_bytes) {
        let help = format!("write a whole number of {block_bytes}-byte blocks, at most 64TiB");
        checker.refuse(&table.size.span, "no LUN can have this size", help);
    }
    let label = table.label.as_ref().map_or(format!("lun{lun}"), |label| {
        if label.is_empty() || label.encode_utf16().count() > 30 {
            checker.report(&label.span, Diagnostic::error("a label is 1 to 30 characters"));
        }
        label.value.clone()
    });
    LunConfig {
        lun: Lun(lun as u16),
        bytes,
        block_bytes: block_bytes as u32,
        owner,
        preferred,
        label,
        read_only: table.read_only.unwrap_or(false),
    }
}

/// The number of a LUN: its own, or its place in the list.
fn lun_number(table: &At<file::LunTable>, place: u64, checker: &mut Checker<'_>) -> u64 {
    let max = checker.shape.max_lun;
    let (number, span) =
        table.lun.as_ref().map_or((place, &table.span), |lun| (lun.value, &lun.span));
    if number > u64::from(max) {
        let problem = format!("LUN {number} is out of range: the highest is {max}");
        checker.refuse(span, problem, "what is the highest depends on the personality; an rdac array tells it by rdac.max_luns");
        return 0;
    }
    number
}

pub(super) fn resolve_hbas(
    hba: &file::Hba,
    array: &Array,
    cpus: u8,
    checker: &mut Checker<'_>,
) -> Vec<Hba> {
    let implied = hba.targets.as_ref().map_or(2, |targets| targets.len() as u64);
    let count =
        checker.number(hba.count.as_ref(), 1..=8, implied.clamp(1, 8), "the number of HBAs");
    let queues = checker.number(
        hba.request_queues.as_ref(),
        1..=16,
        u64::from(cpus.min(16)),
        "the number of request queues",
    );
    let targets: Vec<Vec<PortId>> = match &hba.targets {
        Some(targets) => resolve_targets(targets, count, checker),
        None => (0..count).map(|index| default_targets(array, index)).collect(),
    };
    targets
        .into_iter()
        .enumerate()
        .map(|(index, targets)| Hba {
            id: HbaId(index as u8),
            targets,
            request_queues: queues as u16,
        })
        .collect()
}

fn resolve_targets(
    targets: &At<Vec<file::Targets>>,
    count: u64,
    checker: &mut Checker<'_>,
) -> Vec<Vec<PortId>> {
    if targets.len() as u64 != count {
        let problem = format!("{count} HBAs need {count} lists of ports, not {}", targets.len());
        checker.refuse(
            &targets.span,
            problem,
            "write for instance [[\"A0\", \"B0\"], [\"A1\", \"B1\"]]",
        );
    }
    let resolve_one = |ports: &file::Targets, checker: &mut Checker<'_>| {
        let mut seen = Vec::new();
        for port in ports.iter() {
            let id = checker.port(port);
            if seen.contains(&id) {
                checker.refuse(&port.span, format!("port {id} is there twice"), "remove it");
            }
            seen.push(id);
        }
        if seen.is_empty() {
            checker.refuse(&ports.span, "this HBA sees nothing", "name at least one port");
        }
        seen
    };
    targets.iter().map(|ports| resolve_one(ports, checker)).collect()
}

fn default_targets(array: &Array, hba: u64) -> Vec<PortId> {
    let index = (hba % u64::from(array.ports_per_controller.max(1))) as u8;
    array.controller_ids().map(|controller: ControllerId| PortId { controller, index }).collect()
}
