//! Controllers that do not agree about a LUN.

use std::{io, sync::Arc};

use crate::{ids::ControllerId, store::Store};

/// What controllers disagree about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Apart {
    /// Who owns the LUN. There is one copy of its data.
    Ownership,
    /// Its data as well, from now on: the owner's, and that of all others, which is lost once they
    /// agree again.
    Data,
}

/// Controllers that do not agree about a LUN.
#[derive(Debug, Clone)]
pub(crate) struct Split {
    /// The owner when it began, whose data is kept.
    pub(super) keeper: ControllerId,
    /// The data of all others, if it is not the same.
    pub(crate) copy: Option<Arc<Store>>,
}

impl Split {
    /// That of a LUN with this owner and these contents, from now on.
    pub(crate) fn begin(owner: ControllerId, store: &Store, apart: Apart) -> io::Result<Split> {
        let copy = match apart {
            Apart::Ownership => None,
            Apart::Data => Some(Arc::new(store.copy()?)),
        };
        Ok(Split { keeper: owner, copy })
    }

    /// What the controllers disagree about.
    pub(crate) fn apart(&self) -> Apart {
        if self.copy.is_some() { Apart::Data } else { Apart::Ownership }
    }
}
