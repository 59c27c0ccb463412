//! Checkpoints.

use std::{collections::BTreeMap, sync::Arc};

use super::state::State;
use crate::{
    config::ConfigError,
    ids::Lun,
    store::{Extent, Store},
};

/// The whole state of an array at some time, kept apart from it. Of the LUNs' contents it holds what
/// was ever written.
#[derive(Debug, Clone)]
pub struct ArraySnapshot {
    /// Its LUNs' stores are empty.
    state: State,
    contents: BTreeMap<Lun, Vec<Extent>>,
}

impl ArraySnapshot {
    pub(super) fn of(state: &State) -> ArraySnapshot {
        let contents = state.units.iter().map(|(lun, unit)| (*lun, unit.store.extents())).collect();
        let mut state = state.clone();
        let nothing = Arc::new(Store::empty());
        for unit in state.units.values_mut() {
            unit.store = nothing.clone();
        }
        state.hbas.clear();
        ArraySnapshot { state, contents }
    }

    pub(super) fn restore(&self) -> Result<State, ConfigError> {
        let mut state = self.state.clone();
        for (lun, unit) in &mut state.units {
            let (lun, bytes) = (*lun, unit.bytes());
            let extents = self.contents.get(&lun).map_or(&[][..], Vec::as_slice);
            let store = Store::with_extents(bytes, extents);
            unit.store =
                Arc::new(store.map_err(|source| ConfigError::Map { lun, bytes, source })?);
        }
        Ok(state)
    }

    /// The bytes of LUN contents that it holds.
    pub fn content_bytes(&self) -> usize {
        self.contents.values().flatten().map(Extent::len).sum()
    }
}
