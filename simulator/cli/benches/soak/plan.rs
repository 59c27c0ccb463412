//! What a round does.

use std::{fmt, path::PathBuf, time::Duration};

use crate::{chance::Chance, library::Library};

/// The most scenarios of a round.
const MOST: usize = 8;
/// When a round is harmed at the latest.
const LATEST: Duration = Duration::from_secs(20);

/// What happens to a round, in the words of signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Harm {
    /// Nothing.
    None,
    /// SIGINT to sansim: Ctrl-C.
    Interrupted,
    /// SIGTERM to sansim.
    Terminated,
    /// SIGKILL to sansim.
    Killed,
    /// SIGKILL to one of its QEMUs.
    QemuKilled,
}

impl Harm {
    /// A third of the rounds is left alone.
    const ALL: [Harm; 6] = [
        Harm::None,
        Harm::None,
        Harm::Interrupted,
        Harm::Terminated,
        Harm::Killed,
        Harm::QemuKilled,
    ];
}

/// A round: some scenarios, how they are run, and what happens to them.
pub(crate) struct Plan {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) jobs: usize,
    /// Whether every guest is booted, with no template.
    pub(crate) cold: bool,
    pub(crate) harm: Harm,
    /// When, after the start.
    pub(crate) after: Duration,
}

impl Plan {
    pub(crate) fn draw(chance: &mut Chance, library: &Library, jobs: usize) -> Plan {
        let count = chance.number(1, MOST);
        let mut files: Vec<_> = (0..count).map(|_| chance.one(&library.files).clone()).collect();
        files.sort();
        files.dedup();
        Plan {
            files,
            jobs: chance.number(1, jobs),
            cold: chance.number(1, 10) == 1,
            harm: *chance.one(&Harm::ALL),
            after: chance.moment(LATEST),
        }
    }

    /// The same with nothing that happens to it.
    pub(crate) fn unharmed(self) -> Plan {
        Plan { harm: Harm::None, ..self }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} scenarios, {} jobs", self.files.len(), self.jobs)?;
        if self.cold {
            f.write_str(", cold")?;
        }
        match self.harm {
            Harm::None => Ok(()),
            harm => write!(f, ", {harm:?} after {:.1} s", self.after.as_secs_f64()),
        }
    }
}
