//! The lab of this host.

use sansim_lab::{
    AccelChoice, AccelDecision, Image, ImageStore, LabError, Parts, Progress, Templates,
    probe_accel,
};

/// The images and templates on this host, and the choice of accelerator.
#[derive(Debug)]
pub struct Lab {
    pub(super) store: ImageStore,
    pub(super) templates: Templates,
    choice: AccelChoice,
}

impl Lab {
    /// Opens the lab of this host.
    ///
    /// # Errors
    /// When there is no cache directory.
    pub fn open(choice: AccelChoice) -> Result<Self, LabError> {
        let store = ImageStore::open()?;
        let templates = Templates::new(&store);
        Ok(Lab { store, templates, choice })
    }

    /// The images on this host.
    pub fn store(&self) -> &ImageStore {
        &self.store
    }

    /// The templates on this host: guests that were booted once and saved.
    pub fn templates(&self) -> &Templates {
        &self.templates
    }

    /// An image, built if necessary, and the accelerator to run it with.
    ///
    /// # Errors
    /// When the image is unknown or cannot be built, or when the chosen accelerator does not work.
    pub async fn prepare(
        &self,
        image: &str,
        progress: &dyn Progress,
    ) -> Result<(Image, AccelDecision), LabError> {
        self.made(async || self.store.build(image, progress).await, progress).await
    }

    /// The same for an image made of parts.
    ///
    /// # Errors
    /// When a part cannot be used, or when the chosen accelerator does not work.
    pub async fn assemble(
        &self,
        parts: &Parts,
        progress: &dyn Progress,
    ) -> Result<(Image, AccelDecision), LabError> {
        self.made(async || self.store.assemble(parts, progress).await, progress).await
    }

    /// What `make` makes. On a full disk, templates make room for it.
    async fn made(
        &self,
        make: impl AsyncFn() -> Result<Image, LabError>,
        progress: &dyn Progress,
    ) -> Result<(Image, AccelDecision), LabError> {
        loop {
            match make().await {
                Err(LabError::DiskFull { .. }) if self.templates.make_room(None, progress) => {}
                image => return self.with_accel(image?, progress).await,
            }
        }
    }

    async fn with_accel(
        &self,
        image: Image,
        progress: &dyn Progress,
    ) -> Result<(Image, AccelDecision), LabError> {
        let accel = probe_accel(self.choice, &self.store, &image, progress).await?;
        Ok((image, accel))
    }
}
