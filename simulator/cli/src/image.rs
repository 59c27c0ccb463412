//! `sansim image`: the guest images on this host.

use sansim_lab::{Image, ImageStore, LabError, variant};

use crate::{
    INTERRUPTED, LAB, PASS, USAGE,
    args::ImageCommand,
    own::Own,
    show::{self, Announce},
    stop,
};

pub(crate) async fn image(command: ImageCommand) -> u8 {
    let cancel = stop::on_signals();
    let done = tokio::select! {
        () = cancel.cancelled() => {
            show::error("interrupted");
            return INTERRUPTED;
        }
        done = carry_out(command) => done,
    };
    match done {
        Ok(()) => PASS,
        Err(
            error @ (LabError::UnknownImage { .. }
            | LabError::NoPackage { .. }
            | LabError::BadImageName { .. }
            | LabError::BadParts { .. }),
        ) => {
            show::error(&error.to_string());
            USAGE
        }
        Err(error) => {
            show::error(&error.to_string());
            LAB
        }
    }
}

async fn carry_out(command: ImageCommand) -> Result<(), LabError> {
    let store = ImageStore::open()?;
    match command {
        ImageCommand::List => {
            for image in store.list()? {
                let kernel = image.release.as_deref().unwrap_or("not built yet");
                let size = indicatif::HumanBytes(image.bytes).to_string();
                outln!("{:<20} {kernel:<24} {size:>10}  {}", image.name, image.description);
            }
        }
        ImageCommand::Build { name } => {
            let image = store.build(&name, &Announce::new()).await?;
            tell(&image);
        }
        ImageCommand::Add { name, image, own } => {
            let image = variant(&image, &own.with, &[]);
            let parts = own.resolve(&store)?.or((!own.with.is_empty()).then(Own::default));
            let own = parts.ok_or_else(|| LabError::BadParts {
                why: "give at least one part of your own: --kernel, --userland, --initrd or --with"
                    .to_owned(),
            })?;
            let image = store.add(&name, &own.over(&image), &Announce::new()).await?;
            tell(&image);
        }
        ImageCommand::Remove { name } => store.remove(&name)?,
    }
    Ok(())
}

/// Prints the result of building or adding an image.
fn tell(image: &Image) {
    outln!("{}: kernel {}", image.name, image.release);
    if let Some(why) = &image.left_out {
        outln!("{}: without the modules for the 2007 device handler interface: {why}", image.name);
    }
}
