//! `[workload]`.

use std::time::Duration;

use sansim_protocol::Pattern;

use super::context::Checker;
use crate::lang::{
    Diagnostic,
    file::{self, PatternName},
    plan::{Array, Workload},
    value::Size,
};

const PAGE: u64 = 4096;
const MAX_BLOCK: u64 = 1 << 20;
const DEFAULT_REGION: u64 = 16 << 20;
const MAX_RATE: u64 = 10_000_000;
const DEFAULT_STALL: Duration = Duration::from_millis(500);

pub(super) fn resolve(
    table: &file::Workload,
    array: &Array,
    checker: &mut Checker<'_>,
) -> Option<Workload> {
    let lun = checker.lun_or_main(table.lun.as_ref());
    let Some(config) = array.lun(lun) else {
        if let Some(given) = &table.lun {
            let help = "the workload starts on a LUN that is there from the beginning";
            checker.refuse(&given.span, format!("LUN {lun} is only mapped by a step"), help);
        }
        return None;
    };
    let block = block(table, checker);
    let region = match &table.region {
        None => DEFAULT_REGION.min(config.bytes) / block * block,
        Some(region) => {
            let bytes = region.0.0;
            if bytes < block || bytes > config.bytes || !bytes.is_multiple_of(block) {
                let problem = "the workload cannot use a region of this size";
                let help = format!(
                    "write a whole number of blocks of {}, at most the LUN's {}",
                    Size(block),
                    Size(config.bytes)
                );
                checker.refuse(&region.span, problem, help);
            }
            bytes
        }
    };
    let pattern = match table.pattern {
        None | Some(PatternName::Verify) => Pattern::Verify,
        Some(PatternName::Read) => Pattern::Read,
        Some(PatternName::None) => return None,
    };
    if config.read_only
        && pattern == Pattern::Verify
        && let Some(given) = &table.lun
    {
        let warning = format!("LUN {lun} refuses the writes of this workload");
        checker.report(&given.span, Diagnostic::warning(warning).help("pattern = \"read\""));
    }
    Some(Workload {
        pattern,
        lun,
        queue_depth: checker.number(table.queue_depth.as_ref(), 1..=256, 8, "`queue_depth`") as u32,
        block: block as u32,
        region,
        read_percent: checker.number(table.read_percent.as_ref(), 0..=100, 50, "`read_percent`")
            as u8,
        burst: checker.number(table.burst.as_ref(), 1..=256, 4, "`burst`") as u32,
        rate: checker.number(table.rate.as_ref(), 0..=MAX_RATE, 100, "`rate`") as u32,
        stall: stall(table, checker),
        start: table.start.as_ref().map_or(Duration::ZERO, |start| checker.story_time(start)),
    })
}

fn block(table: &file::Workload, checker: &mut Checker<'_>) -> u64 {
    let Some(block) = &table.block else { return PAGE };
    let bytes = block.0.0;
    if bytes == 0 || bytes > MAX_BLOCK || !bytes.is_multiple_of(PAGE) {
        let help = "write a multiple of 4KiB, at most 1MiB";
        checker.refuse(&block.span, "the workload cannot use blocks of this size", help);
        return PAGE;
    }
    bytes
}

fn stall(table: &file::Workload, checker: &mut Checker<'_>) -> Duration {
    let Some(stall) = &table.stall else { return DEFAULT_STALL };
    if stall.0.0 < Duration::from_millis(1) {
        checker.refuse(&stall.span, "every gap would be a stall", "write \"1ms\" or more");
    }
    stall.0.0
}
