//! Compares runs in exact time by every byte of their `events.ndjson`.

mod events;
mod exact;
mod keys;
mod part;
#[cfg(test)]
mod tests;
mod told;

use std::path::{Path, PathBuf};

use events::{EventsFile, Unreadable};
pub use exact::{Base, Departure, Exact, Parting, Uncompared};
pub use keys::Key;
use keys::different_keys;
use part::{Ends, part};
pub use told::{CommandSubject, Subject, Told};

use super::{Compared, Repeat};

/// A run in exact time that has ended.
#[derive(Debug)]
pub enum Ended {
    /// The run's `events.ndjson`.
    Events(PathBuf),
    /// The run has nothing to compare, for this reason.
    Failed(String),
}

/// Repeated runs in exact time of one scenario with one seed. Their files are compared when all have ended.
#[derive(Debug, Default)]
pub struct Bytes {
    runs: Vec<(u32, Ended)>,
}

impl Bytes {
    /// Adds a run that has ended; `number` is 1 for the first run.
    pub fn add(&mut self, number: u32, run: Ended) {
        self.runs.push((number, run));
    }

    /// Compares each run with the first that left a readable file; `None` for fewer than two runs. Reads the
    /// files in pieces, so that they may be of any size.
    pub fn finish(mut self) -> Option<Repeat> {
        if self.runs.len() < 2 {
            return None;
        }
        self.runs.sort_by_key(|(number, _)| *number);
        let mut exact = Exact::default();
        let mut first = None;
        for (run, ended) in self.runs {
            if let Err(why) = add(&mut exact, &mut first, run, ended) {
                exact.not_compared.push(Uncompared { run, why });
            }
        }
        Some(Repeat { runs: exact.runs(), compared: Compared::Bytes(exact) })
    }
}

/// Compares the `events.ndjson` of two runs, numbered 1 and 2.
pub fn compare(first: &Path, second: &Path) -> Exact {
    let (mut exact, mut base) = (Exact::default(), None);
    for (run, path) in (1..).zip([first, second]) {
        if let Err(why) = add(&mut exact, &mut base, run, Ended::Events(path.to_owned())) {
            exact.not_compared.push(Uncompared { run, why });
        }
    }
    exact
}

/// Adds a run to the comparison. `first` is the file that the others are compared with.
fn add(
    exact: &mut Exact,
    first: &mut Option<PathBuf>,
    run: u32,
    ended: Ended,
) -> Result<(), String> {
    let path = match ended {
        Ended::Events(path) => path,
        Ended::Failed(why) => return Err(why),
    };
    let Some(first) = first else {
        exact.base = Some(base(run, &path).map_err(|error| error.to_string())?);
        exact.identical = 1;
        *first = Some(path);
        return Ok(());
    };
    match departure(first, run, &path).map_err(|error| error.to_string())? {
        None => exact.identical += 1,
        Some(departure) => exact.differences.push(departure),
    }
    Ok(())
}

/// Size, length and digest of the file that the others are compared with.
fn base(run: u32, path: &Path) -> Result<Base, Unreadable> {
    let content = EventsFile::open(path)?.content()?;
    let blake3 = content.digest.to_hex().to_string();
    Ok(Base { run, bytes: content.bytes, events: content.lines, blake3 })
}

/// The first difference between two files; `None` if they are identical.
fn departure(first: &Path, run: u32, path: &Path) -> Result<Option<Departure>, Unreadable> {
    let (mut first, mut other) = (EventsFile::open(first)?, EventsFile::open(path)?);
    let Some(place) = part(&mut first, &mut other)? else { return Ok(None) };
    let column = place.byte - place.line_start;
    let told = |line: &[u8]| Told::new(line, column as usize);
    let line_of = |file: &mut EventsFile| file.line_at(place.line_start);
    let parting = match place.ends {
        Ends::Neither => {
            let (was, is) = (line_of(&mut first)?, line_of(&mut other)?);
            let keys = different_keys(&was, &is);
            Parting::Differs { tells: told(&is), instead_of: told(&was), keys }
        }
        Ends::First => Parting::GoesOn { tells: told(&line_of(&mut other)?) },
        Ends::Other => Parting::Ends { instead_of: told(&line_of(&mut first)?) },
    };
    let (byte, line, column) = (place.byte + 1, place.line + 1, column + 1);
    Ok(Some(Departure { run, byte, line, column, parting }))
}
