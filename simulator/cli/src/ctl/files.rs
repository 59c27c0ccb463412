//! Files that come from the guest or go there, and the saved story.

use std::{
    fs,
    io::{self, Write, stdout},
    path::Path,
};

use console::style;
use sansim_live::client::Client;

use super::failed::Failed;
use crate::{PASS, USAGE};

/// Copies a file into the guest.
pub(super) async fn push(lab: &Client, local: &Path, remote: &str) -> Result<u8, Failed> {
    let contents = fs::read(local).map_err(|error| cannot("read", local, &error))?;
    lab.push(remote, contents).await?;
    Ok(PASS)
}

/// Copies a file out of the guest.
pub(super) async fn pull(lab: &Client, remote: &str, local: &Path) -> Result<u8, Failed> {
    let contents = lab.pull(remote).await?;
    write(local, &contents)
}

/// Saves the story; says what is not in it.
pub(super) async fn save(lab: &Client, file: &Path) -> Result<u8, Failed> {
    let saved = lab.save().await?;
    for sentence in &saved.left_out {
        errln!("{} {sentence}", style("note:").yellow().bold().for_stderr());
    }
    write(file, saved.toml.as_bytes())
}

fn write(file: &Path, contents: &[u8]) -> Result<u8, Failed> {
    let written = match file == Path::new("-") {
        true => stdout().write_all(contents).and_then(|()| stdout().flush()),
        false => fs::write(file, contents),
    };
    written.map_err(|error| cannot("write", file, &error))?;
    Ok(PASS)
}

fn cannot(what: &str, file: &Path, error: &io::Error) -> Failed {
    Failed(USAGE, format!("cannot {what} {}: {error}", file.display()))
}
