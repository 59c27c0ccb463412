//! From a machine that is up to multipath maps.

use sansim_array::Array;
use sansim_lab::{Keeper, LabError};
use sansim_protocol::FailureKind;

use crate::{Guest, Manager, Maps, Paths, Setup, StageError};

/// What is being done to a guest before its story begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preparing {
    /// Modules are loaded.
    Modules,
    /// The guest looks for its disks.
    Discovery,
    /// Multipath maps are built.
    Maps,
}

/// A guest whose maps are there.
#[derive(Debug)]
pub struct Prepared {
    /// Which disk is which path.
    pub paths: Paths,
    /// The maps as they were built.
    pub maps: Maps,
    /// What multipathd says of them, where it manages them.
    pub view: Option<serde_json::Value>,
}

/// Loads modules, has the guest look for its disks and builds the maps, or waits for multipathd to.
///
/// # Errors
/// When the guest or the agent fails, or there is no map.
pub async fn prepare(
    setup: &Setup,
    array: &Array,
    guest: &Guest,
    keeper: &mut Keeper,
    mut on: impl FnMut(Preparing),
) -> Result<Prepared, StageError> {
    on(Preparing::Modules);
    keeper.drive(guest.load_modules(setup)).await?.map_err(not_loaded)?;
    if let Manager::Multipathd(multipathd) = &setup.guest.manager {
        keeper.drive(guest.configure_multipathd(multipathd, array)).await??;
    }
    on(Preparing::Discovery);
    let paths = keeper.drive(guest.discover(setup, array)).await??;
    on(Preparing::Maps);
    let mut maps = Maps::default();
    for lun in array.luns() {
        let status = match setup.guest.manager {
            Manager::Dmsetup => keeper.drive(guest.build_map(setup, lun)).await??,
            Manager::Multipathd(_) => guest.await_map(setup, lun, keeper).await?,
        };
        maps.update(&status, &paths);
    }
    let view = match setup.guest.manager {
        Manager::Dmsetup => None,
        Manager::Multipathd(_) => Some(keeper.drive(guest.multipathd_view()).await??),
    };
    Ok(Prepared { paths, maps, view })
}

fn not_loaded(error: LabError) -> StageError {
    match error {
        LabError::AgentFailed { kind: FailureKind::NoModule, why, .. } => StageError::NoModule(why),
        error => error.into(),
    }
}
