//! What an array is made of, and what is refused.

use std::{io, time::Duration};

use crate::{
    fault::{FaultRule, OpMatcher, RuleError},
    ids::{ControllerId, Lun, PortId},
    operation::OPERATIONS,
    ownership::OwnershipPolicy,
    personality::{
        alua::{AluaConfig, Tpgs},
        emc::EmcConfig,
        hp_sw::HpSwConfig,
        hw_handler::HwHandlerConfig,
        personality,
        rdac::RdacConfig,
    },
    scsi::captured::CapturedPage,
};

/// An array, as it is before the guest starts.
#[derive(Debug, Clone, PartialEq)]
pub struct ArrayConfig {
    /// How this family of arrays identifies itself and is told to move a LUN.
    pub personality: PersonalityConfig,
    /// What it calls itself.
    pub identity: Identity,
    /// INQUIRY data that it tells as it was captured from another array. The first that fits holds.
    pub captured: Vec<CapturedPage>,
    /// Its controllers, from A on; all of them start [`crate::ControllerState::Online`].
    pub controllers: Vec<ControllerConfig>,
    /// What it does about ownership by itself.
    pub ownership: OwnershipPolicy,
    /// The ports that are not there at first.
    pub unplugged: Vec<PortId>,
    /// The LUNs that are mapped at first.
    pub luns: Vec<LunConfig>,
    /// The fault rules, in the order in which they are tried.
    pub faults: Vec<FaultRule>,
    /// When an initiator gives up on a lost command, counted from the command's arrival.
    pub command_timeout: Duration,
    /// Where everything comes from that is to look random.
    pub seed: u64,
}

/// Which family of arrays it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PersonalityConfig {
    /// LSI/Engenio RDAC: told with MODE SELECT of page 2Ch.
    Rdac(RdacConfig),
    /// EMC CLARiiON and VNX: told with MODE SELECT of page 22h, a trespass.
    Emc(EmcConfig),
    /// HP and Compaq active/passive arrays: told with START STOP UNIT.
    HpSw(HpSwConfig),
    /// Active/passive arrays for hardware handlers of one's own: told with START STOP UNIT.
    HwHandler(HwHandlerConfig),
    /// Asymmetric logical unit access (SPC-4 5.15): told with SET TARGET PORT GROUPS.
    Alua(AluaConfig),
}

impl PersonalityConfig {
    /// The Linux device handler that attaches to such an array, without `scsi_dh_`; to an array for
    /// handlers of one's own, the one that sansim brings along.
    pub fn handler(&self) -> &'static str {
        match self {
            PersonalityConfig::Rdac(_) => "rdac",
            PersonalityConfig::Emc(_) => "emc",
            PersonalityConfig::HpSw(_) => "hp_sw",
            PersonalityConfig::HwHandler(_) => "sansim",
            PersonalityConfig::Alua(config) if config.tpgs == Tpgs::Never => "none",
            PersonalityConfig::Alua(_) => "alua",
        }
    }

    /// Whether such an array carries out any of these operations.
    pub fn supports(&self, ops: OpMatcher) -> bool {
        let personality = personality(self);
        let supported = OPERATIONS.iter().filter(|op| personality.supports(op));
        ops == OpMatcher::Any || supported.into_iter().any(|op| ops.covers(Some(op)))
    }

    /// Whether a controller that does not own a LUN carries out its medium accesses, too, without
    /// taking it.
    pub fn others_serve(&self) -> bool {
        match self {
            PersonalityConfig::Rdac(config) => config.ioship,
            PersonalityConfig::Alua(config) => config.non_owner.serves_media(),
            _ => false,
        }
    }

    /// The highest number that a LUN of such an array can have.
    pub fn max_lun(&self) -> u16 {
        personality(self).max_lun()
    }

    /// What an array of this family calls itself unless it is told otherwise.
    pub fn identity(&self) -> Identity {
        match self {
            PersonalityConfig::Rdac(_) => Identity::for_rdac(),
            PersonalityConfig::Emc(_) => Identity::new("DGC", "RAID 5", "0326"),
            PersonalityConfig::HpSw(_) => Identity::new("COMPAQ", "MSA1000 VOLUME", "4.32"),
            PersonalityConfig::HwHandler(_) => Identity::new("SANSIM", "HW_HANDLER", "0001"),
            PersonalityConfig::Alua(_) => Identity::new("SANSIM", "ALUA", "0001"),
        }
    }
}

/// What an array calls itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// T10 vendor identification: at most 8 printable ASCII characters.
    pub vendor: String,
    /// Product identification: at most 16 printable ASCII characters.
    pub product: String,
    /// Product revision level: at most 4 printable ASCII characters.
    pub revision: String,
    /// The array's serial number: 1 to 16 printable ASCII characters. LUN identifiers derive from it.
    pub serial: String,
    /// The name its operator gave it: at most 30 UTF-16 units.
    pub name: String,
}

impl Identity {
    /// An array that the kernel's table of RDAC arrays and that of multipath-tools both know.
    pub fn for_rdac() -> Self {
        Identity::new("IBM", "1814      FAStT", "0916")
    }

    /// An array of this kind, with a serial number and a name.
    fn new(vendor: &str, product: &str, revision: &str) -> Self {
        Identity {
            vendor: vendor.into(),
            product: product.into(),
            revision: revision.into(),
            serial: "SANSIM0001".into(),
            name: "sansim".into(),
        }
    }
}

impl Identity {
    /// Refuses text that does not fit its field (SPC-4 4.3.1: printable ASCII).
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let fields = [
            ("the vendor", &self.vendor, 1..=8, "1 to 8 printable ASCII characters"),
            ("the product", &self.product, 1..=16, "1 to 16 printable ASCII characters"),
            ("the revision", &self.revision, 0..=4, "at most 4 printable ASCII characters"),
            ("the serial number", &self.serial, 1..=16, "1 to 16 printable ASCII characters"),
        ];
        for (what, text, len, wanted) in fields {
            let printable = text.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
            if !printable || !len.contains(&text.len()) {
                return Err(ConfigError::Text { what, text: text.clone(), wanted });
            }
        }
        if self.name.encode_utf16().count() > 30 {
            let (text, wanted) = (self.name.clone(), "at most 30 UTF-16 units");
            return Err(ConfigError::Text { what: "the array's name", text, wanted });
        }
        Ok(())
    }
}

/// A controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ControllerConfig {
    /// How many ports it has: 1 to 10.
    pub ports: u8,
}

/// A LUN. It starts full of zeros and costs memory only where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LunConfig {
    /// Its number, behind every port.
    pub lun: Lun,
    /// Its size: a whole number of blocks, at most [`LunConfig::MAX_BYTES`].
    pub bytes: u64,
    /// 512 or 4096.
    pub block_bytes: u32,
    /// Who serves it at first.
    pub owner: ControllerId,
    /// Who should serve it when all is well.
    pub preferred: ControllerId,
    /// The name its operator gave it: at most 30 UTF-16 units.
    pub label: String,
    /// Whether it refuses writes.
    pub read_only: bool,
}

impl LunConfig {
    /// The largest LUN: 64 TiB.
    pub const MAX_BYTES: u64 = 64 << 40;
    /// The most LUNs an array can have.
    pub const MAX_COUNT: usize = 256;
    /// The highest number a LUN can have: what flat addressing holds (SAM-5 4.7.7.4).
    pub const MAX_LUN: u16 = 0x3fff;
}

/// Why an array or a LUN cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Too few or too many controllers.
    #[error("{personality} needs {wanted} controllers, not {count}")]
    Controllers {
        /// The personality's name.
        personality: &'static str,
        /// How many it takes, in words.
        wanted: &'static str,
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
