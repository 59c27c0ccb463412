//! `[workload]`: the I/O that runs during the story.

use std::time::Duration;

use sansim_protocol::Pattern;
use sansim_stage::{Array, Workload};

use crate::{
    Diagnostic,
    check::Checker,
    form::{Name, name, table, words},
    value::{At, Size, TimeSpan},
};

/// The unit of request sizes and the alignment of requests, in bytes.
const PAGE: u64 = 4096;
const MAX_BLOCK: u64 = 1 << 20;
const DEFAULT_REGION: u64 = 16 << 20;
const MAX_RATE: u64 = 10_000_000;
const DEFAULT_STALL: Duration = Duration::from_millis(500);

table! {
    /// The I/O that runs during the story.
    #[derive(Default)]
    pub(crate) struct WorkloadTable, "a table" {
        /// The pattern of the I/O. Default: "verify".
        pattern: Option<PatternName>,
        /// The LUN that gets the I/O. Default: the first.
        lun: Option<At<u64>>,
        /// The maximum number of requests in flight, 1 to 256. Default: 8.
        queue_depth: Option<At<u64>>,
        /// The size of a request, a multiple of "4KiB", at most "1MiB". Default: "4KiB".
        block: Option<Name<Size>>,
        /// The size of the region that is used, from the start of the LUN. Default: "16MiB", or the
        /// whole LUN if it is smaller.
        region: Option<Name<Size>>,
        /// The percentage of reads. Default: 50.
        read_percent: Option<At<u64>>,
        /// The maximum number of requests per second; 0 means unlimited. Default: 100.
        rate: Option<At<u64>>,
        /// The number of requests that are sent together if `rate` is not 0, 1 to 256. Default: 4.
        burst: Option<At<u64>>,
        /// A gap between completions at least this long is reported as a stall. Default: "500ms".
        stall: Option<Name<TimeSpan>>,
        /// The story time at which the workload starts. Default: "0s", the beginning of the story.
        start: Option<Name<TimeSpan>>,
    }
}

words! {
    /// The pattern of the I/O.
    enum PatternName {
        /// Random reads and writes; the data of every read is verified.
        Verify = "verify",
        /// Random reads, without verification.
        Read = "read",
        /// No I/O. pg_init does not start before the first I/O, so a step must cause some.
        None = "none",
    }
}

impl WorkloadTable {
    /// Validates the table and converts it; `None` for the pattern "none".
    pub(crate) fn check(&self, array: &Array, checker: &mut Checker<'_>) -> Option<Workload> {
        let lun = checker.lun_or_main(self.lun.as_ref());
        let Some(config) = array.lun(lun) else {
            if let Some(given) = &self.lun {
                let help = "the workload starts on a LUN that is there from the beginning";
                checker.refuse(&given.span, format!("LUN {lun} is only mapped by a step"), help);
            }
            return None;
        };
        let block = self.checked_block(checker);
        let region = match &self.region {
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
        let pattern = match self.pattern {
            None | Some(PatternName::Verify) => Pattern::Verify,
            Some(PatternName::Read) => Pattern::Read,
            Some(PatternName::None) => return None,
        };
        if config.read_only
            && pattern == Pattern::Verify
            && let Some(given) = &self.lun
        {
            let warning = format!("LUN {lun} refuses the writes of this workload");
            checker.report(&given.span, Diagnostic::warning(warning).help("pattern = \"read\""));
        }
        Some(Workload {
            pattern,
            lun,
            queue_depth: checker.number(self.queue_depth.as_ref(), 1..=256, 8, "`queue_depth`")
                as u32,
            block: block as u32,
            region,
            read_percent: checker.number(self.read_percent.as_ref(), 0..=100, 50, "`read_percent`")
                as u8,
            burst: checker.number(self.burst.as_ref(), 1..=256, 4, "`burst`") as u32,
            rate: checker.number(self.rate.as_ref(), 0..=MAX_RATE, 100, "`rate`") as u32,
            stall: self.checked_stall(checker),
            start: self.start.as_ref().map_or(Duration::ZERO, |start| checker.story_time(start)),
        })
    }

    fn checked_block(&self, checker: &mut Checker<'_>) -> u64 {
        let Some(block) = &self.block else { return PAGE };
        let bytes = block.0.0;
        if bytes == 0 || bytes > MAX_BLOCK || !bytes.is_multiple_of(PAGE) {
            let help = "write a multiple of 4KiB, at most 1MiB";
            checker.refuse(&block.span, "the workload cannot use blocks of this size", help);
            return PAGE;
        }
        bytes
    }

    fn checked_stall(&self, checker: &mut Checker<'_>) -> Duration {
        let Some(stall) = &self.stall else { return DEFAULT_STALL };
        if stall.0.0 < Duration::from_millis(1) {
            checker.refuse(&stall.span, "every gap would be a stall", "write \"1ms\" or more");
        }
        stall.0.0
    }

    /// The table that would be read as `workload`.
    pub(crate) fn of(workload: Option<&Workload>) -> Self {
        let number = |number: u64| Some(At::nowhere(number));
        let Some(workload) = workload else {
            let pattern = Some(PatternName::None);
            return WorkloadTable { pattern, ..WorkloadTable::default() };
        };
        WorkloadTable {
            pattern: Some(match workload.pattern {
                Pattern::Verify => PatternName::Verify,
                Pattern::Read => PatternName::Read,
            }),
            lun: Some(workload.lun.into()),
            queue_depth: number(workload.queue_depth.into()),
            block: Some(name(Size(workload.block.into()))),
            region: Some(name(Size(workload.region))),
            read_percent: number(workload.read_percent.into()),
            rate: number(workload.rate.into()),
            burst: number(workload.burst.into()),
            stall: Some(name(TimeSpan(workload.stall))),
            start: Some(name(TimeSpan(workload.start))),
        }
    }
}
