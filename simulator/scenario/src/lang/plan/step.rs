//! What happens in a story, resolved.

use std::{fmt, sync::Arc, time::Duration};

use sansim_array::{Action, ControllerId, Lun};

use super::PathPattern;

/// Something the scenario does.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Its name, unique in the scenario; `step-1` and so on unless written.
    pub name: String,
    /// When.
    pub trigger: Trigger,
    /// What.
    pub action: StepAction,
}

/// When a step is taken; every step is taken at most once.
#[derive(Debug, Clone, PartialEq)]
pub enum Trigger {
    /// At this time of the story.
    At(Duration),
    /// When something happens.
    On {
        /// What has to happen.
        event: Occurrence,
        /// And so long after it.
        after: Duration,
    },
}

/// Something a step can wait for.
#[derive(Debug, Clone, PartialEq)]
pub enum Occurrence {
    /// A fault rule has fired for the n-th time in this run (from 1).
    Fault {
        /// The rule's name.
        name: Arc<str>,
        /// How many times.
        nth: u64,
    },
    /// pg_init has reached this round on a LUN's map.
    PgInit {
        /// The round, from 1.
        rounds: u32,
        /// The LUN whose map is meant.
        lun: Lun,
    },
    /// A LUN has come to a controller (again).
    Owner {
        /// The LUN.
        lun: Lun,
        /// Its new owner.
        controller: ControllerId,
    },
    /// A path has failed in the eyes of dm-multipath.
    PathFailed {
        /// Which paths count.
        path: PathPattern,
        /// The LUN whose map is meant.
        lun: Lun,
    },
    /// A command has been put under a hold: a rule that has this hold has fired.
    Held(Arc<str>),
    /// A kernel line with this text has been logged.
    Log(String),
    /// Another step has been taken, that is: its action is done, and a program it runs has ended.
    Step(String),
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum StepAction {
    /// Something to the array.
    Array(Action),
    /// A message to a LUN's map, as `dmsetup message` sends it.
    Message {
        /// The LUN whose map is meant.
        lun: Lun,
        /// For instance `switch_group 2`.
        text: String,
    },
    /// The message `reinstate_path` for some paths of a LUN's map.
    Reinstate {
        /// The LUN whose map is meant.
        lun: Lun,
        /// Which paths.
        paths: Reinstate,
    },
    /// Runs a program of the guest's userland. `{map}`, `{map:lun1}`, `{disk:A0}` and
    /// `{disk:hba0:A0:lun1}` in the words stand for device paths; [`placeholder`] reads them.
    ///
    /// [`placeholder`]: crate::lang::placeholder
    Run {
        /// The program and its arguments.
        argv: Vec<String>,
        /// It is killed after so long.
        timeout: Duration,
    },
    /// Writes a file of the guest.
    Write {
        /// Its absolute path, with the same placeholders as in `Run`, but for kernel names (`sda`).
        path: String,
        /// Its new contents.
        text: String,
    },
    /// Stops the workload before the end of the story.
    StopWorkload,
    /// Ends the story.
    End,
}

/// The paths a [`StepAction::Reinstate`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reinstate {
    /// Every path of the map.
    All,
    /// These.
    Paths(PathPattern),
}

impl fmt::Display for Reinstate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reinstate::All => f.write_str("all"),
            Reinstate::Paths(pattern) => pattern.fmt(f),
        }
    }
}
