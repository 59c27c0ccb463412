//! The array and the HBAs, resolved.

use std::{fmt, time::Duration};

use sansim_array::{
    ArrayConfig, ControllerConfig, ControllerId, FaultRule, HbaId, Identity, Lun, LunConfig,
    PersonalityConfig, PortId, Quiescence, RdacConfig,
};

/// The array of a scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// How it identifies itself and is told to move a LUN.
    pub personality: Personality,
    /// What it writes into INQUIRY data.
    pub identity: Identity,
    /// How many controllers it has.
    pub controllers: u8,
    /// How many ports each of them has.
    pub ports_per_controller: u8,
    /// Its LUNs, at least one, by number.
    pub luns: Vec<LunConfig>,
}

impl Array {
    /// The LUN with this number.
    pub fn lun(&self, lun: Lun) -> Option<&LunConfig> {
        self.luns.iter().find(|config| config.lun == lun)
    }

    /// What the array is made with.
    pub(super) fn config(
        &self,
        faults: Vec<FaultRule>,
        command_timeout: Duration,
        seed: u64,
    ) -> ArrayConfig {
        let controller = ControllerConfig { ports: self.ports_per_controller };
        ArrayConfig {
            personality: self.personality.config(),
            identity: self.identity.clone(),
            controllers: vec![controller; usize::from(self.controllers)],
            luns: self.luns.clone(),
            faults,
            command_timeout,
            seed,
        }
    }

    /// Every controller.
    pub fn controller_ids(&self) -> impl Iterator<Item = ControllerId> {
        (0..usize::from(self.controllers)).filter_map(ControllerId::new)
    }

    /// Every port of every controller.
    pub fn ports(&self) -> impl Iterator<Item = PortId> {
        let ports = self.ports_per_controller;
        self.controller_ids()
            .flat_map(move |controller| (0..ports).map(move |index| PortId { controller, index }))
    }
}

/// The family of arrays and what is particular to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Personality {
    /// LSI/Engenio RAID Disk Array Controller (`scsi_dh_rdac`).
    Rdac(Rdac),
}

impl Personality {
    /// The name of the kernel's device handler for it, which is also its own name here.
    pub fn handler(self) -> &'static str {
        match self {
            Personality::Rdac(_) => "rdac",
        }
    }

    /// The highest LUN that it can have.
    pub fn max_lun(self) -> u16 {
        match self {
            Personality::Rdac(rdac) => rdac.max_luns.into(),
        }
    }

    fn config(self) -> PersonalityConfig {
        match self {
            Personality::Rdac(rdac) => PersonalityConfig::Rdac(RdacConfig {
                avt: rdac.mode == RdacMode::Avt,
                ioship: rdac.mode == RdacMode::IoShip,
                max_lun: rdac.max_luns,
                quiescence: rdac.quiescence,
                ..RdacConfig::default()
            }),
        }
    }
}

/// What is particular to RDAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rdac {
    /// What the controller that does not own a LUN does with I/O.
    pub mode: RdacMode,
    /// The highest LUN ("maximum LUNs supported" of VPD page C2h); below 32 the guest moves LUNs by
    /// MODE SELECT(6).
    pub max_luns: u8,
    /// What a quiescing controller answers.
    pub quiescence: Quiescence,
}

/// Modes of an RDAC array, as VPD page C9h byte 8 tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RdacMode {
    /// A LUN moves when it is told to.
    Rdac,
    /// A LUN moves by itself to the controller that gets the I/O (auto volume transfer).
    Avt,
    /// Both controllers serve the LUN.
    IoShip,
}

impl fmt::Display for RdacMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RdacMode::Rdac => "rdac",
            RdacMode::Avt => "avt",
            RdacMode::IoShip => "ioship",
        })
    }
}

/// One HBA of the guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hba {
    /// Its number.
    pub id: HbaId,
    /// The ports it sees; the virtio target id is the index.
    pub targets: Vec<PortId>,
    /// How many request queues it offers.
    pub request_queues: u16,
}
