//! The lab of this machine.

use sansim_lab::{
    AccelChoice, AccelDecision, Image, ImageStore, LabError, Parts, Progress, Templates,
    probe_accel,
};

/// Where runs take place: the images and templates of this machine, and its accelerator.
#[derive(Debug)]
pub struct Lab {
    pub(super) store: ImageStore,
    pub(super) templates: Templates,
    choice: AccelChoice,
}

impl Lab {
    /// The lab of this machine.
    ///
    /// # Errors
    /// When there is no cache directory.
    pub fn open(choice: AccelChoice) -> Result<Self, LabError> {
        let store = ImageStore::open()?;
        let templates = Templates::new(&store);
        Ok(Lab { store, templates, choice })
    }

    /// The images of this machine.
    pub fn store(&self) -> &ImageStore {
        &self.store
    }

    /// Where guests are kept that were booted once.
    pub fn templates(&self) -> &Templates {
        &self.templates
    }

    /// An image, built if need be, and the accelerator to run it with.
    ///
    /// # Errors
    /// When it is unknown or cannot be built, or when the accelerator asked for does not work.
    pub async fn prepare(
        &self,
        image: &str,
        progress: &dyn Progress,
    ) -> Result<(Image, AccelDecision), LabError> {
        let image = self.store.build(image, progress).await?;
        self.with_accel(image, progress).await
    }

    /// The same for an image that is put together of parts.
    ///
    /// # Errors
    /// When a part cannot be used, or when the accelerator asked for does not work.
    pub async fn assemble(
        &self,
        parts: &Parts,
        progress: &dyn Progress,
    ) -> Result<(Image, AccelDecision), LabError> {
        let image = self.store.assemble(parts, progress).await?;
        self.with_accel(image, progress).await
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
