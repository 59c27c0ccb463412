//! From a report to a scenario: reads what a reporter has sent (a sosreport, single outputs, a log), and writes a
//! scenario that starts.
//!
//! [`scenario`] takes everything that was gathered by [`gather()`]. Its way is: texts ([`gather()`]) are told apart by
//! what they look like (`kind`), read into facts (`read`, `facts`), and the facts make a SAN (`san`), which is
//! written as TOML (`write`). A log becomes steps, fault rules and expectations (`log`). Whatever was not in the
//! report and had to be guessed is a comment with its reason. The crate may import the language,
//! which has the last word about what was written.
//!
//! Reports are other people's: they are read within bounds, and names, serial numbers, world-wide names and
//! addresses are replaced (`anonymous`) unless [`Options::keep_identity`] is set.

#![forbid(unsafe_code)]

mod anonymous;
mod conf;
mod error;
mod facts;
mod family;
mod gather;
mod kind;
mod log;
mod pattern;
mod read;
mod san;
mod write;

pub use error::ImportError;
pub use gather::{Gathered, Text, gather};

/// What the user wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Whether names, serial numbers and world-wide names stay as they are.
    pub keep_identity: bool,
    /// The most LUNs that the scenario gets.
    pub luns: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options { keep_identity: false, luns: 16 }
    }
}

/// A scenario made from a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The scenario file.
    pub toml: String,
    /// What was guessed, in sentences; each is a comment in the file, too.
    pub guesses: Vec<String>,
    /// What was read: the name of the text, and what it was taken for.
    pub read: Vec<(String, String)>,
    /// What was not used: the name of the text, and why.
    pub unused: Vec<(String, String)>,
}

/// Makes a scenario of a report's outputs, and of a log if there is one.
///
/// # Errors
/// If nothing in it shows a disk array, or what is written is no scenario.
pub fn scenario(
    gathered: &Gathered,
    log: Option<&Text>,
    options: &Options,
) -> Result<Imported, ImportError> {
    let mut facts = facts::Facts::default();
    let mut unused = gathered.skipped.clone();
    let mut read = Vec::new();
    for text in &gathered.texts {
        match read::read(text, &mut facts) {
            Some(what) => read.push((text.name.clone(), what.to_owned())),
            None => unused.push((text.name.clone(), "nothing known begins like it".to_owned())),
        }
    }
    let happened = log.map(|log| log::lines::read(log, &mut facts));
    if let Some(log) = log {
        read.push((log.name.clone(), "a log".to_owned()));
    }
    facts.settle();
    let mut names = anonymous::Names::new(options.keep_identity);
    for (kind, name) in &facts.names_in_log {
        names.name(name, kind);
    }
    let san = san::San::of(&facts, options.luns)?;
    let story = happened.map(|happened| log::story::Story::of(&happened, &facts, &san, &mut names));
    if let (Some(log), Some(story)) = (log, &story)
        && story.entries.is_empty()
    {
        return Err(ImportError::NothingHappened(log.name.clone()));
    }
    let toml = write::scenario(&facts, &san, story.as_ref(), &mut names)?;
    let mut guesses = san.guesses.clone();
    guesses.extend(story.iter().flat_map(|story| story.guesses.clone()));
    Ok(Imported { toml, guesses, read, unused })
}

#[cfg(test)]
mod tests;
