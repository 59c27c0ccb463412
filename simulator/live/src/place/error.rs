//! Why a lab has no place, or is not found.

use std::{io, path::PathBuf};

/// Why a lab has no place, or is not found, in words for people.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// No name of a lab.
    #[error(
        "`{0}` cannot be the name of a lab: use at most 32 characters, of a to z, 0 to 9 and -, \
         and begin with a letter or a digit"
    )]
    Name(String),
    /// Another lab has this name.
    #[error("there is already a lab `{0}` (choose another name, or end it with `sansim down {0}`)")]
    Taken(String),
    /// The path of the socket is too long for the kernel.
    #[error(
        "the path of {} is too long for a socket: set $XDG_RUNTIME_DIR to a shorter one, or \
         choose a shorter name", .0.display()
    )]
    TooLong(PathBuf),
    /// Others could put something into the directory.
    #[error(
        "{} is not safe: it must be a directory that belongs to you and that nobody else may use \
         (remove it, or correct it with chmod 700)", .0.display()
    )]
    Unsafe(PathBuf),
    /// The host refuses.
    #[error("cannot use {}: {}", .0.display(), .1)]
    File(PathBuf, #[source] io::Error),
    /// No lab lives.
    #[error("no lab is running (start one with `sansim up`)")]
    None,
    /// No lab of this name lives.
    #[error("there is no lab `{name}` (running: {})", .there.join(", "))]
    Unknown {
        /// The name.
        name: String,
        /// The labs that live.
        there: Vec<String>,
    },
    /// Several labs live, and none was named.
    #[error("several labs are running: {} (choose one with `--lab NAME`)", .0.join(", "))]
    Several(Vec<String>),
    /// The lab still starts.
    #[error("the lab `{0}` is still starting (try again in a few seconds)")]
    Starting(String),
}
