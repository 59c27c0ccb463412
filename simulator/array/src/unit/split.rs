//! Split ownership: controllers that disagree about a LUN.

use std::{io, sync::Arc};

use crate::{ids::ControllerId, store::Store};

/// What the controllers disagree about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Apart {
    /// The owner of the LUN. There is one copy of its data.
    Ownership,
    /// The owner and, from now on, the data. The owner has one copy; the other controllers share a
    /// second one, which is lost when they agree again.
    Data,
}

/// The split of a LUN.
#[derive(Debug, Clone)]
pub(crate) struct Split {
    /// The owner when the split began. Its data is kept.
    pub(super) keeper: ControllerId,
    /// The data of the other controllers; `None` if all controllers share the data.
    pub(crate) copy: Option<Arc<Store>>,
}

impl Split {
    /// Starts a split of a LUN with this owner and these contents.
    pub(crate) fn begin(owner: ControllerId, store: &Store, apart: Apart) -> io::Result<Split> {
        let copy = match apart {
            Apart::Ownership => None,
            Apart::Data => Some(Arc::new(store.copy()?)),
        };
        Ok(Split { keeper: owner, copy })
    }

    pub(crate) fn apart(&self) -> Apart {
        if self.copy.is_some() { Apart::Data } else { Apart::Ownership }
    }
}
