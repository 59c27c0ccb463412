//! Prepares a running machine for its story, up to the multipath maps.

use sansim_array::{Array, Lun};
use sansim_lab::{Keeper, LabError};
use sansim_protocol::{FailureKind, MapStatus};

use crate::{
    Guest, Incomplete, Manager, Maps, Part, Paths, Setup, StageError, event::What,
    guest::multipathd::PATIENCE,
};

/// The current stage of preparation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preparing {
    /// Kernel modules are being loaded.
    Modules,
    /// The guest is scanning for its disks.
    Discovery,
    /// The multipath maps are being built.
    Maps {
        /// How many have been built.
        done: usize,
        /// How many are to be built.
        of: usize,
    },
}

/// A guest with its disks and maps, complete or not.
#[derive(Debug)]
pub struct Prepared {
    /// The disks by path.
    pub paths: Paths,
    /// The maps as they were built.
    pub maps: Maps,
    /// What is not complete.
    pub incomplete: Vec<Incomplete>,
    /// The first events of the story: the maps as multipathd reports them, and what is not complete.
    pub first: Vec<What>,
}

/// Loads modules, scans for disks, and builds the maps or waits until multipathd has built them. What the
/// kernel, udev and multipathd make of the disks is the story's: disks and maps may be missing. With
/// `await_multipathd` false, multipathd's maps are left to come when they come.
///
/// # Errors
/// If the guest or the agent fails, or a module or a tool is missing.
pub async fn prepare(
    setup: &Setup,
    array: &Array,
    guest: &Guest,
    keeper: &mut Keeper,
    await_multipathd: bool,
    on: impl Fn(Preparing),
) -> Result<Prepared, StageError> {
    let mut incomplete = Vec::new();
    on(Preparing::Modules);
    keeper.drive(guest.load_modules(setup)).await?.map_err(not_loaded)?;
    let manager = &setup.guest.manager;
    if let Manager::Multipathd(multipathd) = manager {
        let refused = keeper.drive(guest.configure_multipathd(multipathd, array)).await??;
        incomplete.extend(refused.map(|how| Incomplete { what: Part::Multipathd, how }));
    }
    on(Preparing::Discovery);
    let (paths, missing) = keeper.drive(guest.discover(setup, array)).await??;
    // A LUN that no HBA sees has no disk and no map.
    let mut luns = array.luns();
    luns.retain(|lun| setup.paths_of(*lun).next().is_some());
    for &lun in &luns {
        incomplete.extend(lacking_disks(setup, lun, &paths, missing.as_deref()));
    }
    let mut maps = Maps::default();
    if !await_multipathd && *manager != Manager::Dmsetup {
        let first = incomplete.iter().map(told).collect();
        return Ok(Prepared { paths, maps, incomplete, first });
    }
    let mut patience = PATIENCE;
    for (done, &lun) in luns.iter().enumerate() {
        on(Preparing::Maps { done, of: luns.len() });
        let built = match manager {
            Manager::Dmsetup => keeper.drive(guest.build_map(setup, lun, &paths)).await??,
            Manager::Multipathd(_) => {
                match guest.await_map(lun, &paths, &mut patience, keeper).await? {
                    Some(status) => Ok(status),
                    None => Err(guest.why_no_map(lun, &paths, keeper).await?),
                }
            }
        };
        match built {
            Ok(status) => {
                incomplete.extend(lacking_paths(lun, &status, &paths));
                maps.update(&status, &paths);
            }
            Err(how) => incomplete.push(Incomplete { what: Part::Map(lun), how }),
        }
    }
    if setup.guest.udev.is_some() {
        keeper.drive(guest.settle_udev()).await??;
    }
    let mut first = match manager {
        Manager::Dmsetup => Vec::new(),
        Manager::Multipathd(_) => vec![keeper.drive(guest.multipathd_view()).await??],
    };
    first.extend(incomplete.iter().map(told));
    Ok(Prepared { paths, maps, incomplete, first })
}

fn told(incomplete: &Incomplete) -> What {
    What::Incomplete { text: incomplete.to_string() }
}

/// What is missing of the disks of a LUN. `why` is what the scan says.
fn lacking_disks(setup: &Setup, lun: Lun, paths: &Paths, why: Option<&str>) -> Option<Incomplete> {
    let of = setup.paths_of(lun).count();
    let lacking = setup.paths_of(lun).filter(|nexus| paths.disk(*nexus, lun).is_none());
    let names: Vec<String> = lacking.map(|nexus| nexus.to_string()).collect();
    let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
    let how = format!("{} of {of} disks, not {}", of - names.len(), names.join(", "));
    (!names.is_empty()).then(|| Incomplete { what: Part::Disks(lun), how: format!("{how}{why}") })
}

/// The disks of a LUN that its map does not have.
fn lacking_paths(lun: Lun, status: &MapStatus, paths: &Paths) -> Option<Incomplete> {
    let (has, of) = (status.paths().count(), paths.of(lun).len());
    let how = format!("{has} of {of} paths ({})", status.map);
    (has < of).then_some(Incomplete { what: Part::Paths(lun), how })
}

fn not_loaded(error: LabError) -> StageError {
    match error {
        LabError::AgentFailed { kind: FailureKind::NoModule, why, .. } => StageError::NoModule(why),
        error => error.into(),
    }
}
