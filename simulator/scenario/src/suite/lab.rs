//! The lab of this machine.

use sansim_lab::{
    AccelChoice, AccelDecision, Image, ImageStore, LabError, Progress, Templates, probe_accel,
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
        let accel = probe_accel(self.choice, &self.store, &image, progress).await?;
        Ok((image, accel))
    }
}
