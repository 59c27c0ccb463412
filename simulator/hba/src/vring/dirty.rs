//! The pages of guest memory that are written during migration.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use vhost_user_backend::bitmap::{AtomicBitmapMmap, BitmapMmapRegion, BitmapReplace};
use vm_memory::{
    bitmap::{Bitmap, RefSlice, WithBitmapSlice},
    mmap::NewBitmap,
};

/// The pages of a region that were written since the front end started to log writes.
///
/// It wraps [`BitmapMmapRegion`], which takes a lock for every write and increments a reference
/// count for every access, even when nothing is logged. A command makes a dozen accesses. With this
/// wrapper, each costs one atomic load while logging is off.
#[derive(Debug, Default, Clone)]
pub(crate) struct DirtyPages {
    wanted: Arc<AtomicBool>,
    pages: BitmapMmapRegion,
}

impl<'a> WithBitmapSlice<'a> for DirtyPages {
    type S = RefSlice<'a, DirtyPages>;
}

impl Bitmap for DirtyPages {
    fn mark_dirty(&self, offset: usize, len: usize) {
        if self.wanted.load(Ordering::Acquire) {
            self.pages.mark_dirty(offset, len);
        }
    }

    fn dirty_at(&self, offset: usize) -> bool {
        self.pages.dirty_at(offset)
    }

    fn slice_at(&self, offset: usize) -> RefSlice<'_, DirtyPages> {
        RefSlice::new(self, offset)
    }
}

impl NewBitmap for DirtyPages {
    fn with_len(len: usize) -> Self {
        DirtyPages { wanted: Arc::default(), pages: BitmapMmapRegion::with_len(len) }
    }
}

impl BitmapReplace for DirtyPages {
    type InnerBitmap = AtomicBitmapMmap;

    fn replace(&self, bitmap: AtomicBitmapMmap) {
        self.pages.replace(bitmap);
        self.wanted.store(true, Ordering::Release);
    }
}
