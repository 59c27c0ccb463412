//! The pages of guest memory that are written while the guest is migrated.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use vhost_user_backend::bitmap::{AtomicBitmapMmap, BitmapMmapRegion, BitmapReplace};
use vm_memory::{
    bitmap::{Bitmap, RefSlice, WithBitmapSlice},
    mmap::NewBitmap,
};

/// The pages of a region that were written since somebody wanted to know.
///
/// [`BitmapMmapRegion`] does the work. It takes a lock at every write and counts a reference at every
/// access, though, wanted or not, and a command takes a dozen accesses: here they cost a look.
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
