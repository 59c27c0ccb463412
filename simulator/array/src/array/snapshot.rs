//! Snapshots of an array, for checkpoints.

use std::{collections::BTreeMap, sync::Arc};

use super::state::State;
use crate::{
    error::ConfigError,
    ids::Lun,
    store::{Saved, Store},
};

/// The whole state of an array at one moment. Of the LUNs' contents, it contains only what was ever
/// written.
#[derive(Debug, Clone)]
pub struct ArraySnapshot {
    /// The stores of its LUNs are empty: `contents` has the data.
    state: State,
    /// The contents of each LUN. If the controllers' data differs, there are several copies, in the
    /// order of [`crate::unit::Unit::stores_mut`].
    contents: BTreeMap<Lun, Vec<Saved>>,
}

impl ArraySnapshot {
    pub(super) fn of(state: &State) -> ArraySnapshot {
        let mut state = state.clone();
        let nothing = Arc::new(Store::empty());
        let take = |store: &mut Arc<Store>| std::mem::replace(store, nothing.clone()).save();
        let units = state.units.iter_mut();
        let contents = units.map(|(lun, unit)| (*lun, unit.stores_mut().map(take).collect()));
        let contents = contents.collect();
        state.hbas.clear();
        ArraySnapshot { state, contents }
    }

    pub(super) fn restore(&self) -> Result<State, ConfigError> {
        let mut state = self.state.clone();
        let memory = Arc::clone(&state.memory);
        for (lun, unit) in &mut state.units {
            let (lun, bytes) = (*lun, unit.bytes());
            let saved = self.contents.get(&lun).into_iter().flatten();
            for (store, saved) in unit.stores_mut().zip(saved) {
                let made = Store::from_saved(bytes, saved, &memory);
                *store =
                    Arc::new(made.map_err(|source| ConfigError::Map { lun, bytes, source })?);
            }
        }
        Ok(state)
    }

    /// The size of the saved LUN contents in bytes.
    pub fn content_bytes(&self) -> usize {
        self.contents.values().flatten().map(Saved::len).sum()
    }
}
