//! `[workload]`: the I/O that runs during the story.

use std::{ops::Range, time::Duration};

use sansim_array::{Lun, LunConfig};
use sansim_protocol::{Pattern, WorkloadCanary};
use sansim_stage::{Array, Workload};

use crate::{
    Diagnostic,
    check::Checker,
    form::{
        Entries, KeyForm, Name, PlainTable, Problems, Table, keys_of_both, name, table,
        table_value, words,
    },
    value::{At, Size, TimeSpan},
};

/// The unit of request sizes and the alignment of requests, in bytes.
const PAGE: u64 = 4096;
const MAX_BLOCK: u64 = 1 << 20;
const DEFAULT_REGION: u64 = 16 << 20;
const MAX_RATE: u64 = 10_000_000;
const DEFAULT_STALL: Duration = Duration::from_millis(500);

table! {
    /// I/O on a LUN's map.
    #[derive(Default)]
    pub(crate) struct StartTable, "a table such as { lun = 1, rate = 50 }" {
        /// The pattern of the I/O. Default: "verify".
        pattern: Option<PatternName>,
        /// The LUN that gets the I/O. Default: the first; for a step, the LUN of `[workload]`.
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
    }
}

table! {
    /// What only the scenario's own workload can have, and no step.
    #[derive(Default)]
    struct OfStory, "a table" {
        /// The story time at which the workload starts. Default: "0s", the beginning of the story.
        start: Option<Name<TimeSpan>>,
        /// If true, the workload need not do any I/O. Default: false, so that the run fails then.
        optional: Option<bool>,
        /// A bug that is planted in the workload on purpose, to see whether it is found. `sansim check`
        /// warns of it. Default: none.
        canary: Option<At<WorkloadCanaryName>>,
    }
}

/// `[workload]` as written in the file.
#[derive(Debug, Clone, Default)]
pub(crate) struct WorkloadTable {
    io: StartTable,
    story: OfStory,
}

impl Table for WorkloadTable {
    const NAME: &'static str = "WorkloadTable";
    const ABOUT: &'static str = "The I/O that runs during the story.";
    const EXPECTED: &'static str = "a table";
    const KEYS: &'static [&'static str] = &keys_of_both::<
        { StartTable::KEYS.len() + OfStory::KEYS.len() },
    >(StartTable::KEYS, OfStory::KEYS);

    fn take(entries: &mut Entries<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let io = StartTable::take(entries, problems);
        let story = OfStory::take(entries, problems);
        Some(WorkloadTable { io: io?, story: story? })
    }

    fn put(&self, table: &mut PlainTable) {
        self.io.put(table);
        self.story.put(table);
    }

    fn keys() -> Vec<KeyForm> {
        [StartTable::keys(), OfStory::keys()].concat()
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

words! {
    /// A bug that is planted in the workload on purpose.
    enum WorkloadCanaryName for WorkloadCanary {
        /// A request that completes more than a second after it was sent is never counted as
        /// completed.
        LostCompletion = "lost-completion",
    }
}

table_value!(WorkloadTable);

impl WorkloadTable {
    /// Validates the table and converts it; `None` for the pattern "none".
    pub(crate) fn check(&self, arrays: &[Array], checker: &mut Checker<'_>) -> Option<Workload> {
        let lun = checker.lun_or_main(self.io.lun.as_ref());
        let Some(config) = arrays.iter().find_map(|array| array.lun(lun)) else {
            if let Some(given) = &self.io.lun {
                let help = "the workload starts on a LUN that is there from the beginning";
                checker.refuse(&given.span, format!("LUN {lun} is only mapped by a step"), help);
            }
            return None;
        };
        let pattern = self.io.pattern();
        let workload = self.io.check(lun, Some(config), pattern, checker);
        let start = self.story.start.as_ref();
        let start = start.map_or(Duration::ZERO, |start| checker.story_time(start));
        if let Some(canary) = &self.story.canary {
            checker.warn_of_canary(&canary.span, "workload", canary.value.word());
        }
        let canary = self.story.canary.as_ref().map(|canary| canary.value.into());
        pattern.is_some().then_some(Workload { start, canary, ..workload })
    }

    /// Whether the workload need not do any I/O.
    pub(crate) fn is_optional(&self) -> bool {
        self.story.optional.unwrap_or(false)
    }

    /// The table that would be read as `workload`, which need not do any I/O if `optional`.
    pub(crate) fn of(workload: Option<&Workload>, optional: bool) -> Self {
        let Some(workload) = workload else {
            let io = StartTable { pattern: Some(PatternName::None), ..StartTable::default() };
            return WorkloadTable { io, ..WorkloadTable::default() };
        };
        let start = Some(name(TimeSpan(workload.start)));
        let canary = workload.canary.map(|canary| At::nowhere(canary.into()));
        let story = OfStory { start, optional: Some(optional), canary };
        WorkloadTable { io: StartTable::of(workload), story }
    }
}

impl StartTable {
    /// Validates the table of a `start` step, at `span`, and converts it.
    pub(crate) fn check_step(&self, span: &Range<usize>, checker: &mut Checker<'_>) -> Workload {
        let lun = checker.lun_or_main(self.lun.as_ref());
        let pattern = self.pattern();
        if pattern.is_none() {
            checker.refuse(span, "this starts no I/O", "write pattern = \"verify\" or \"read\"");
        }
        let config = checker.shape.configs.iter().find(|config| config.lun == lun).cloned();
        self.check(lun, config.as_ref(), pattern, checker)
    }

    /// The pattern; `None` for no I/O.
    fn pattern(&self) -> Option<Pattern> {
        match self.pattern {
            None | Some(PatternName::Verify) => Some(Pattern::Verify),
            Some(PatternName::Read) => Some(Pattern::Read),
            Some(PatternName::None) => None,
        }
    }

    /// Validates the table and converts it. `config` is `None` for a LUN that a step maps, whose
    /// size is not known. The workload starts at the beginning of the story.
    fn check(
        &self,
        lun: Lun,
        config: Option<&LunConfig>,
        pattern: Option<Pattern>,
        checker: &mut Checker<'_>,
    ) -> Workload {
        let block = self.checked_block(checker);
        let size = config.map_or(u64::MAX, |config| config.bytes);
        let region = self.checked_region(block, size, checker);
        if config.is_some_and(|config| config.read_only)
            && pattern == Some(Pattern::Verify)
            && let Some(given) = &self.lun
        {
            let warning = format!("LUN {lun} refuses the writes of this workload");
            checker.report(&given.span, Diagnostic::warning(warning).help("pattern = \"read\""));
        }
        Workload {
            pattern: pattern.unwrap_or(Pattern::Read),
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
            start: Duration::ZERO,
            canary: None,
        }
    }

    /// The size of the region in bytes, on a LUN of `size` bytes.
    fn checked_region(&self, block: u64, size: u64, checker: &mut Checker<'_>) -> u64 {
        let Some(region) = &self.region else { return DEFAULT_REGION.min(size) / block * block };
        let bytes = region.0.0;
        if bytes < block || bytes > size || !bytes.is_multiple_of(block) {
            let problem = "the workload cannot use a region of this size";
            let (block, size) = (Size(block), Size(size));
            let help =
                format!("write a whole number of blocks of {block}, at most the LUN's {size}");
            checker.refuse(&region.span, problem, help);
        }
        bytes
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

    /// The table that would be read as `workload`, apart from what only the scenario's own can have.
    pub(crate) fn of(workload: &Workload) -> Self {
        let number = |number: u64| Some(At::nowhere(number));
        StartTable {
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
        }
    }
}
