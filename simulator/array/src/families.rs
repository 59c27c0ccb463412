//! The families of arrays, each in its own file and folder. A family states its behavior through
//! [`Personality`]. No other module knows which families exist.

mod alua;
mod emc;
mod hp_sw;
mod hw_handler;
mod rdac;
mod start_stop;
mod unit_path_report;

pub use self::{
    alua::{AluaConfig, Groups, Reporting, Scope, Tpgs},
    emc::{EmcConfig, FailoverMode, InquiryForm},
    hp_sw::HpSwConfig,
    hw_handler::HwHandlerConfig,
    rdac::{Quiescence, RdacConfig},
};
use std::sync::Arc;

use crate::{identity::Identity, personality::Personality};

/// The family of an array, with the traits of the individual model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PersonalityConfig {
    /// LSI/Engenio RDAC: MODE SELECT of page 2Ch moves LUNs.
    Rdac(RdacConfig),
    /// EMC CLARiiON and VNX: MODE SELECT of page 22h, a trespass, moves LUNs.
    Emc(EmcConfig),
    /// HP and Compaq active/passive arrays: START STOP UNIT moves LUNs.
    HpSw(HpSwConfig),
    /// Active/passive arrays for custom hardware handlers: START STOP UNIT moves LUNs.
    HwHandler(HwHandlerConfig),
    /// Arrays with asymmetric logical unit access (SPC-4 5.15): SET TARGET PORT GROUPS moves LUNs.
    Alua(AluaConfig),
}

impl PersonalityConfig {
    pub(crate) fn into_family(self) -> Arc<dyn Personality> {
        match self {
            PersonalityConfig::Rdac(family) => Arc::new(family),
            PersonalityConfig::Emc(family) => Arc::new(family),
            PersonalityConfig::HpSw(family) => Arc::new(family),
            PersonalityConfig::HwHandler(family) => Arc::new(family),
            PersonalityConfig::Alua(family) => Arc::new(family),
        }
    }

    pub(crate) fn family(&self) -> &dyn Personality {
        match self {
            PersonalityConfig::Rdac(family) => family,
            PersonalityConfig::Emc(family) => family,
            PersonalityConfig::HpSw(family) => family,
            PersonalityConfig::HwHandler(family) => family,
            PersonalityConfig::Alua(family) => family,
        }
    }

    /// The Linux device handler that attaches to the array, without the prefix `scsi_dh_`. For
    /// [`PersonalityConfig::HwHandler`], the handler that sansim includes.
    pub fn handler(&self) -> &'static str {
        self.family().handler()
    }

    /// Whether a controller that does not own a LUN also serves its medium accesses, without taking
    /// ownership.
    pub fn others_serve(&self) -> bool {
        self.family().others_serve()
    }

    /// The maximum number of controllers in such an array.
    pub fn most_controllers(&self) -> u8 {
        self.family().most_controllers()
    }

    /// The highest LUN number that such an array supports.
    pub fn max_lun(&self) -> u16 {
        self.family().max_lun()
    }

    /// The default identity of an array of this family.
    pub fn identity(&self) -> Identity {
        self.family().identity()
    }
}
