//! Why the configuration of an array or a fault rule is refused.

use std::{io, sync::Arc};

use crate::{
    ids::{ControllerId, Lun, Nexus, PortId},
    lun_config::LunConfig,
};

/// Why an array or a LUN cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The personality does not support this number of controllers.
    #[error("{personality} needs 1 to {most} controllers, not {count}")]
    Controllers {
        /// The name of the personality.
        personality: &'static str,
        /// The maximum number of controllers.
        most: u8,
        /// The requested number of controllers.
        count: usize,
    },
    /// A controller has no port, or more than 10.
    #[error("controller {controller} has {ports} ports; 1 to 10 are possible")]
    Ports {
        /// The controller with the invalid port count.
        controller: ControllerId,
        /// The requested number of ports.
        ports: u8,
    },
    /// A text of the identity, or the label of a LUN, does not fit its field.
    #[error("{what} {text:?} must be {wanted}")]
    Text {
        /// What the text is for.
        what: &'static str,
        /// The text that does not fit.
        text: String,
        /// The requirement that the text violates.
        wanted: &'static str,
    },
    /// The array has more than [`crate::LunConfig::MAX_COUNT`] LUNs.
    #[error("{count} LUNs are too many: an array has at most {max}", max = LunConfig::MAX_COUNT)]
    TooManyLuns {
        /// The requested number of LUNs.
        count: usize,
    },
    /// The LUN number is too high.
    #[error("LUN {lun} is out of range: the highest number here is {max}")]
    LunNumber {
        /// The requested LUN number.
        lun: Lun,
        /// The highest LUN number that this array supports.
        max: u16,
    },
    /// A nexus would see two LUNs under one number.
    #[error("{nexus} would see two LUNs under number {number}")]
    NumberTaken {
        /// The nexus.
        nexus: Nexus,
        /// The number.
        number: Lun,
    },
    /// Two LUNs have this number.
    #[error("LUN {0} is there twice")]
    DuplicateLun(Lun),
    /// The block length is neither 512 nor 4096.
    #[error("LUN {lun} has blocks of {block_bytes} bytes; only 512 and 4096 are possible")]
    BlockLength {
        /// The LUN with the invalid block length.
        lun: Lun,
        /// The requested block length in bytes.
        block_bytes: u32,
    },
    /// The size is zero, or not a multiple of the block length.
    #[error(
        "LUN {lun} has {bytes} bytes, which is not a whole number of {block_bytes}-byte blocks"
    )]
    PartialBlock {
        /// The LUN with the invalid size.
        lun: Lun,
        /// The requested size in bytes.
        bytes: u64,
        /// The block length in bytes.
        block_bytes: u32,
    },
    /// The size exceeds [`crate::LunConfig::MAX_BYTES`].
    #[error("LUN {lun} has {bytes} bytes; a LUN has at most 64 TiB")]
    TooLarge {
        /// The LUN that is too large.
        lun: Lun,
        /// The requested size in bytes.
        bytes: u64,
    },
    /// The owner or the preferred controller of a LUN does not exist.
    #[error("LUN {lun} is to be served by controller {controller}, which the array does not have")]
    NoController {
        /// The LUN that names the controller.
        lun: Lun,
        /// The controller that does not exist.
        controller: ControllerId,
    },
    /// The operating system does not have enough address space for a LUN's contents.
    #[error("cannot map {bytes} bytes of memory for LUN {lun}")]
    Map {
        /// The LUN whose contents cannot be mapped.
        lun: Lun,
        /// The requested size in bytes.
        bytes: u64,
        /// The error that `mmap` returned.
        source: io::Error,
    },
    /// A port that does not exist has a number.
    #[error("the array has no port {0} that could have a number")]
    UnknownPort(PortId),
    /// The relative target port identifier of a port is 0, or another port's.
    #[error(
        "port {port} cannot have relative target port identifier {number}: it is reserved, or another port's"
    )]
    RelativePort {
        /// The port.
        port: PortId,
        /// The identifier.
        number: u16,
    },
    /// The target port groups do not contain each port exactly once.
    #[error("port {port} must be in exactly one target port group, and is in {groups}")]
    PortGroups {
        /// The port.
        port: PortId,
        /// The number of groups that contain it.
        groups: usize,
    },
    /// Two target port groups have one identifier.
    #[error("there are two target port groups {0}")]
    DuplicateGroup(u16),
    /// The configuration names a port that does not exist.
    #[error("the array has no port {0} that could be unplugged")]
    NoPort(PortId),
    /// The arrays have more controllers than there are letters.
    #[error("the arrays have {count} controllers; at most {max} are possible", max = ControllerId::MAX)]
    TooManyControllers {
        /// Their number.
        count: usize,
    },
    /// Two arrays have one name.
    #[error("there are two arrays named {0:?}")]
    DuplicateArray(String),
    /// The controllers of a LUN are not in the arrays that they should be in.
    #[error("controller {controller} cannot be that of LUN {lun}: {why}")]
    WrongArray {
        /// The LUN.
        lun: Lun,
        /// The controller.
        controller: ControllerId,
        /// What is wrong.
        why: &'static str,
    },
    /// Two arrays cannot present a LUN as one.
    #[error("two arrays cannot present LUN {lun} as one: {why}")]
    NotStretchable {
        /// The LUN.
        lun: Lun,
        /// What is wrong.
        why: String,
    },
    /// The ping-pong interval is zero.
    #[error("LUNs cannot change hands every 0 s")]
    PingPong,
    /// A fault rule is invalid.
    #[error(transparent)]
    Rule(#[from] RuleError),
}

/// Why a fault rule is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// Another rule has this name.
    #[error("there are two fault rules named {0:?}")]
    Duplicate(Arc<str>),
    /// The array has this maximum number of rules already.
    #[error("more than {0} fault rules")]
    TooMany(usize),
    /// The rule can never match: a count is 0, or a range is empty. Commands are counted from 1.
    #[error("fault rule {0:?} can never match: it counts from 1, and a range must not be empty")]
    NeverMatches(Arc<str>),
    /// The rule names a controller or a port that the array does not have.
    #[error("fault rule {rule:?} names {what}, which the array does not have")]
    Unknown {
        /// The name of the rule.
        rule: Arc<str>,
        /// The controller or port, in words.
        what: String,
    },
}
