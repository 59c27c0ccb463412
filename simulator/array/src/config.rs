//! What an array is made of, and what is refused.

use std::time::Duration;

use crate::{
    fault::{FaultRule, OpMatcher},
    identity::Identity,
    ids::PortId,
    inquiry_page::CapturedPage,
    lun_config::LunConfig,
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

/// A controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ControllerConfig {
    /// How many ports it has: 1 to 10.
    pub ports: u8,
}
