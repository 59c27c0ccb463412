//! What is refused when an array is made or a rule is added, and why.

use std::{io, sync::Arc};

use crate::{
    ids::{ControllerId, Lun, PortId},
    lun_config::LunConfig,
};

/// Why an array or a LUN cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Too few or too many controllers.
    #[error("{personality} needs 1 to {most} controllers, not {count}")]
    Controllers {
        /// The personality's name.
        personality: &'static str,
        /// The most it has.
        most: u8,
        /// How many were asked for.
        count: usize,
    },
    /// No port, or more than can be named.
    #[error("controller {controller} has {ports} ports; 1 to 10 are possible")]
    Ports {
        /// Which controller.
        controller: ControllerId,
        /// How many were asked for.
        ports: u8,
    },
    /// An identity's text does not fit where it must go.
    #[error("{what} {text:?} must be {wanted}")]
    Text {
        /// Which text.
        what: &'static str,
        /// What it was.
        text: String,
        /// What it must be, in words.
        wanted: &'static str,
    },
    /// More LUNs than an array can have.
    #[error("{count} LUNs are too many: an array has at most {max}", max = LunConfig::MAX_COUNT)]
    TooManyLuns {
        /// How many were asked for.
        count: usize,
    },
    /// A number beyond what can be addressed.
    #[error("LUN {lun} is out of range: the highest number here is {max}")]
    LunNumber {
        /// Which number.
        lun: Lun,
        /// The highest possible one.
        max: u16,
    },
    /// A number given twice.
    #[error("LUN {0} is there twice")]
    DuplicateLun(Lun),
    /// A block length that is neither 512 nor 4096.
    #[error("LUN {lun} has blocks of {block_bytes} bytes; only 512 and 4096 are possible")]
    BlockLength {
        /// Which LUN.
        lun: Lun,
        /// What was asked for.
        block_bytes: u32,
    },
    /// No block at all, or a part of one.
    #[error(
        "LUN {lun} has {bytes} bytes, which is not a whole number of {block_bytes}-byte blocks"
    )]
    PartialBlock {
        /// Which LUN.
        lun: Lun,
        /// What was asked for.
        bytes: u64,
        /// The length of its blocks.
        block_bytes: u32,
    },
    /// More than a LUN can hold.
    #[error("LUN {lun} has {bytes} bytes; a LUN has at most 64 TiB")]
    TooLarge {
        /// Which LUN.
        lun: Lun,
        /// What was asked for.
        bytes: u64,
    },
    /// Owned or preferred by nobody.
    #[error("LUN {lun} is to be served by controller {controller}, which the array does not have")]
    NoController {
        /// Which LUN.
        lun: Lun,
        /// Which controller.
        controller: ControllerId,
    },
    /// The operating system has no address space for it.
    #[error("cannot map {bytes} bytes of memory for LUN {lun}")]
    Map {
        /// Which LUN.
        lun: Lun,
        /// How much was asked for.
        bytes: u64,
        /// What the operating system said.
        source: io::Error,
    },
    /// A port of no controller.
    #[error("the array has no port {0} that could be unplugged")]
    NoPort(PortId),
    /// LUNs cannot change hands all the time.
    #[error("LUNs cannot change hands every 0 s")]
    PingPong,
    /// A fault rule that makes no sense.
    #[error(transparent)]
    Rule(#[from] RuleError),
}

/// Why a fault rule makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// The name is taken.
    #[error("there are two fault rules named {0:?}")]
    Duplicate(Arc<str>),
    /// More rules than an array takes.
    #[error("more than {0} fault rules")]
    TooMany(usize),
    /// Commands and ranges are counted from 1, and a range does not end before it begins.
    #[error("fault rule {0:?} can never match: it counts from 1, and a range must not be empty")]
    NeverMatches(Arc<str>),
    /// A controller or port that the array does not have.
    #[error("fault rule {rule:?} names {what}, which the array does not have")]
    Unknown {
        /// The rule.
        rule: Arc<str>,
        /// What it names.
        what: String,
    },
}
