//! The families of arrays, each in a file and a folder of its own. What a family decides it says
//! through [`Personality`]; nothing but this file knows which families there are.

mod alua;
mod emc;
mod hp_sw;
mod hw_handler;
mod rdac;
mod start_stop;

pub use self::{
    alua::{AluaConfig, Groups, Reporting, Scope, Tpgs},
    emc::{EmcConfig, FailoverMode, InquiryForm},
    hp_sw::HpSwConfig,
    hw_handler::HwHandlerConfig,
    rdac::{Quiescence, RdacConfig},
};
use crate::{identity::Identity, personality::Personality};

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
    /// What the family says of itself.
    pub(crate) fn family(&self) -> &dyn Personality {
        match self {
            PersonalityConfig::Rdac(family) => family,
            PersonalityConfig::Emc(family) => family,
            PersonalityConfig::HpSw(family) => family,
            PersonalityConfig::HwHandler(family) => family,
            PersonalityConfig::Alua(family) => family,
        }
    }

    /// The Linux device handler that attaches to such an array, without `scsi_dh_`; to an array for
    /// handlers of one's own, the one that sansim brings along.
    pub fn handler(&self) -> &'static str {
        self.family().handler()
    }

    /// Whether a controller that does not own a LUN carries out its medium accesses, too, without
    /// taking it.
    pub fn others_serve(&self) -> bool {
        self.family().others_serve()
    }

    /// The most controllers that such an array has.
    pub fn most_controllers(&self) -> u8 {
        self.family().most_controllers()
    }

    /// The highest number that a LUN of such an array can have.
    pub fn max_lun(&self) -> u16 {
        self.family().max_lun()
    }

    /// What an array of this family calls itself unless it is told otherwise.
    pub fn identity(&self) -> Identity {
        self.family().identity()
    }
}
