//! Prepares a running machine for its story, up to the multipath maps.

use sansim_array::{Array, Lun};
use sansim_lab::{Keeper, LabError};
use sansim_protocol::FailureKind;

use crate::{Guest, Manager, Maps, Paths, Setup, StageError};

/// The current stage of preparation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preparing {
    /// Kernel modules are being loaded.
    Modules,
    /// The guest is scanning for its disks.
    Discovery,
    /// The multipath maps are being built.
    Maps,
}

/// A guest with complete maps.
#[derive(Debug)]
pub struct Prepared {
    /// The disks by path.
    pub paths: Paths,
    /// The maps as they were built.
    pub maps: Maps,
    /// The maps as multipathd reports them, if it manages them.
    pub view: Option<serde_json::Value>,
}

/// Loads modules, scans for disks, and builds the maps or waits until multipathd has built them. With
/// `await_multipathd` false, multipathd's maps are left to come when they come.
///
/// # Errors
/// If the guest or the agent fails, or a map is not built.
pub async fn prepare(
    setup: &Setup,
    array: &Array,
    guest: &Guest,
    keeper: &mut Keeper,
    await_multipathd: bool,
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
    if !await_multipathd && setup.guest.manager != Manager::Dmsetup {
        return Ok(Prepared { paths, maps, view: None });
    }
    // A LUN that no HBA sees has no map.
    let seen = |lun: &Lun| !setup.path_groups(*lun).is_empty();
    for lun in array.luns().into_iter().filter(seen) {
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
