//! Guests that were booted once, stopped when quiet, and saved.

use std::path::{Path, PathBuf};

use crate::{Boot, HbaSocket, ImageStore, LabError, Machine, MachineConfig, Progress, Result};

/// A saved guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    path: PathBuf,
    key: String,
}

impl Template {
    /// The saved state.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Names the image, the QEMU and the shape of the machine it was made with.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// The templates of a store.
#[derive(Debug, Clone)]
pub struct Templates {
    store: ImageStore,
}

impl Templates {
    /// Those kept in this store.
    pub fn new(store: &ImageStore) -> Templates {
        Templates { store: store.clone() }
    }

    /// What a template for such a machine is called. Sockets, work directory and console do not matter,
    /// the number of HBAs and of their queues does.
    pub fn key(config: &MachineConfig) -> Result<String> {
        let _ = config;
        todo!()
    }

    /// The template for such a machine, if there is one.
    pub fn find(&self, config: &MachineConfig) -> Result<Option<Template>> {
        let _ = (config, &self.store);
        todo!()
    }

    /// Makes the template for such a machine, or takes it from the cache when another process has made
    /// it meanwhile. `config` has throw-away HBA sockets and its own work directory and console.
    pub async fn make(&self, config: MachineConfig, progress: &dyn Progress) -> Result<Template> {
        let _ = (config, progress);
        todo!()
    }

    /// Throws a template away.
    pub fn discard(&self, template: &Template) -> Result<()> {
        let _ = template;
        todo!()
    }

    /// Starts a machine the quick way: from its template, which is made first when it is missing, and made again
    /// once when it does not restore. `throw_away` starts HBAs for making the template, as many and with as
    /// many queues as `config` has, and returns their sockets with a guard that stops them when dropped.
    pub async fn start<G, E, F>(
        &self,
        config: MachineConfig,
        throw_away: F,
        progress: &dyn Progress,
    ) -> Result<(Machine, Boot), E>
    where
        F: Fn() -> Result<(Vec<HbaSocket>, G), E>,
        E: From<LabError>,
    {
        let _ = (config, throw_away, progress);
        todo!()
    }
}
