//! `[explore]`: what `sansim explore` may do to the scenario, and how much.

use std::{collections::BTreeSet, fmt, time::Duration};

use sansim_array::PersonalityConfig;
use sansim_stage::{Manager, Setup};

use crate::{
    check::Checker,
    form::{Name, name, table, words},
    value::{At, TimeSpan},
};

/// A kind of thing that may happen in an explored story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Controllers fail, or are in another state for a while.
    Controllers,
    /// Links go down and come up again.
    Links,
    /// The array moves LUNs by itself.
    Ownership,
    /// The states of target port groups change.
    PortGroups,
    /// Unit attentions are queued.
    Attentions,
    /// HBAs are reset.
    Resets,
    /// Messages are sent to the map.
    Messages,
    /// Commands are answered with sense data, a status or a response.
    Answers,
    /// Commands take long, or are held.
    Delays,
    /// Commands are lost.
    Losses,
    /// The settings of the map, the array and the workload are others.
    Settings,
}

/// A law: what must hold for every SAN, whatever was done to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Law {
    /// No byte that is read back is wrong.
    Bytes,
    /// No I/O fails while a path that serves exists, and nothing permits the failure.
    Errors,
    /// After everything is healed, I/O flows: no request waits for ever.
    Flow,
    /// No path is failed without a reason, and after everything is healed every path is in service.
    Paths,
    /// multipathd and dm-multipath agree about the paths.
    Agreement,
    /// I/O waits no longer than the settings of the host explain, while a path is in service.
    Waits,
    /// Nothing is repeated without end.
    Loops,
    /// The kernel and the daemons have no complaint.
    Complaints,
    /// The expectations of the scenario itself hold.
    Expectations,
    /// The story ends alike on all images.
    Alike,
}

/// What `sansim explore` may do to a scenario. Times are story times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explore {
    /// The kinds of things that may happen, at least one.
    pub may: BTreeSet<Kind>,
    /// The most things that happen in a story, at least 1.
    pub most: u32,
    /// The time in which they begin. Then everything is healed.
    pub during: Duration,
    /// How long the story goes on after everything is healed.
    pub quiet: Duration,
    /// The laws that are judged, at least one.
    pub laws: BTreeSet<Law>,
}

words! {
    /// A kind of thing that may happen in an explored story.
    enum KindName for Kind {
        /// Controllers fail, or are in another state for a while.
        Controllers = "controllers",
        /// Links go down and come up again.
        Links = "links",
        /// The array moves LUNs by itself.
        Ownership = "ownership",
        /// The states of target port groups change. Only with personality `alua`.
        PortGroups = "port-groups",
        /// Unit attentions are queued.
        Attentions = "attentions",
        /// HBAs are reset.
        Resets = "resets",
        /// `switch_group` is sent to the map. Only with manager `dmsetup`.
        Messages = "messages",
        /// Commands are answered with sense data, a status or a virtio-scsi response.
        Answers = "answers",
        /// Commands take long, or are held.
        Delays = "delays",
        /// Commands are lost.
        Losses = "losses",
        /// The settings of the map, the array and the workload are others.
        Settings = "settings",
    }
}

words! {
    /// A law; docs/exploring.md has the reason for each.
    enum LawName for Law {
        /// No byte that is read back is wrong.
        Bytes = "bytes",
        /// No I/O fails while a path that serves exists, and nothing permits the failure.
        Errors = "errors",
        /// After everything is healed, I/O flows: no request waits for ever.
        Flow = "flow",
        /// No path is failed without a reason, and after everything is healed every path is in service.
        Paths = "paths",
        /// multipathd and dm-multipath agree about the paths.
        Agreement = "agreement",
        /// I/O waits no longer than the settings of the host explain, while a path is in service.
        Waits = "waits",
        /// Nothing is repeated without end.
        Loops = "loops",
        /// The kernel and the daemons have no complaint.
        Complaints = "complaints",
        /// The expectations of the scenario itself hold.
        Expectations = "expectations",
        /// The story ends alike on all images.
        Alike = "alike",
    }
}

impl Kind {
    /// The word of the language.
    pub fn word(self) -> &'static str {
        KindName::from(self).word()
    }

    /// Whether this can happen to an array of this family under this manager.
    fn fits(self, array: &PersonalityConfig, manager: &Manager) -> bool {
        match self {
            Kind::PortGroups => matches!(array, PersonalityConfig::Alua(_)),
            Kind::Messages => *manager == Manager::Dmsetup,
            _ => true,
        }
    }
}

impl Law {
    /// Every law.
    pub const ALL: [Law; 10] = [
        Law::Bytes,
        Law::Errors,
        Law::Flow,
        Law::Paths,
        Law::Agreement,
        Law::Waits,
        Law::Loops,
        Law::Complaints,
        Law::Expectations,
        Law::Alike,
    ];

    /// The word of the language.
    pub fn word(self) -> &'static str {
        LawName::from(self).word()
    }

    /// The law with this word.
    pub fn of(word: &str) -> Option<Law> {
        Law::ALL.into_iter().find(|law| law.word() == word)
    }

    /// The law in a sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Law::Bytes => "no byte that is read back is wrong",
            Law::Errors => "no I/O fails while a path serves",
            Law::Flow => "I/O flows again when all is healed",
            Law::Paths => "no path is failed for nothing",
            Law::Agreement => "multipathd and dm-multipath agree about the paths",
            Law::Waits => "I/O waits no longer than the settings explain",
            Law::Loops => "nothing is repeated without end",
            Law::Complaints => "kernel and daemons have no complaint",
            Law::Expectations => "the scenario's own expectations hold",
            Law::Alike => "the story ends alike on all images",
        }
    }
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

table! {
    /// What `sansim explore` may do to the scenario, and how much. Other commands ignore it.
    #[derive(Default)]
    pub(crate) struct ExploreTable, "a table" {
        /// The kinds of things that may happen. Default: all that the family and the manager have.
        may: Option<At<Vec<At<KindName>>>>,
        /// The most things that happen in a story, 1 to 16. Default: 4.
        most: Option<At<u64>>,
        /// The time in which they begin; then everything is healed. Default: "10s".
        during: Option<Name<TimeSpan>>,
        /// How long the story goes on after everything is healed. Default: "10s", or "60s" with
        /// multipathd, which checks a path every 20 s at the latest.
        quiet: Option<Name<TimeSpan>>,
        /// The laws that are not judged. Default: all are.
        laws_off: Option<At<Vec<At<LawName>>>>,
    }
}

const DURING: Duration = Duration::from_secs(10);
const MOST: u64 = 4;

fn quiet(manager: &Manager) -> Duration {
    Duration::from_secs(if *manager == Manager::Dmsetup { 10 } else { 60 })
}

fn kinds(array: &PersonalityConfig, manager: &Manager) -> BTreeSet<Kind> {
    let all = KindName::WORDS.iter().map(|(_, name)| Kind::from(*name));
    all.filter(|kind| kind.fits(array, manager)).collect()
}

impl ExploreTable {
    /// Validates the table and converts it; mistakes are reported to `checker`.
    pub(crate) fn check(
        &self,
        array: &PersonalityConfig,
        manager: &Manager,
        checker: &mut Checker<'_>,
    ) -> Explore {
        let all = kinds(array, manager);
        let may = match &self.may {
            None => all,
            Some(given) => {
                if given.is_empty() {
                    let help = format!("write some of {}", listed(&all));
                    checker.refuse(&given.span, "nothing may happen", help);
                }
                for kind in given.iter().filter(|kind| !all.contains(&kind.value.into())) {
                    let problem = format!("{:?} cannot happen here", kind.value.word());
                    let help = format!("with this family and manager: {}", listed(&all));
                    checker.refuse(&kind.span, problem, help);
                }
                given.iter().map(|kind| kind.value.into()).collect()
            }
        };
        let off = self.laws_off.iter().flat_map(|off| off.iter());
        let off: BTreeSet<Law> = off.map(|law| law.value.into()).collect();
        let laws: BTreeSet<Law> = Law::ALL.into_iter().filter(|law| !off.contains(law)).collect();
        if let Some(given) = self.laws_off.as_ref().filter(|_| laws.is_empty()) {
            checker.refuse(&given.span, "no law is left to be broken", "leave one on");
        }
        let span = |given: &Option<Name<TimeSpan>>, default| {
            given.as_ref().map_or(default, |given| given.0.0)
        };
        for given in [&self.during, &self.quiet].into_iter().flatten() {
            if !(Duration::from_secs(1)..=Duration::from_secs(3600)).contains(&given.0.0) {
                checker.refuse(&given.span, "this takes \"1s\" to \"1h\"", "write \"10s\"");
            }
        }
        Explore {
            may,
            most: checker.number(self.most.as_ref(), 1..=16, MOST, "`most`") as u32,
            during: span(&self.during, DURING),
            quiet: span(&self.quiet, quiet(manager)),
            laws,
        }
    }

    /// The table that would be read as `explore`: only what is not the default.
    pub(crate) fn of(explore: &Explore, setup: &Setup) -> Self {
        let (array, manager) = (&setup.first_array().personality, &setup.guest.manager);
        let span = |time: Duration, default| (time != default).then(|| name(TimeSpan(time)));
        let may = explore.may.iter().map(|kind| At::nowhere((*kind).into())).collect();
        let off = Law::ALL.into_iter().filter(|law| !explore.laws.contains(law));
        let off: Vec<_> = off.map(|law| At::nowhere(law.into())).collect();
        ExploreTable {
            may: (explore.may != kinds(array, manager)).then(|| At::nowhere(may)),
            most: (u64::from(explore.most) != MOST).then(|| At::nowhere(explore.most.into())),
            during: span(explore.during, DURING),
            quiet: span(explore.quiet, quiet(manager)),
            laws_off: (!off.is_empty()).then(|| At::nowhere(off)),
        }
    }
}

impl Explore {
    /// What may happen to this setup if the scenario says nothing.
    pub fn of(setup: &Setup) -> Explore {
        let manager = &setup.guest.manager;
        Explore {
            may: kinds(&setup.first_array().personality, manager),
            most: MOST as u32,
            during: DURING,
            quiet: quiet(manager),
            laws: Law::ALL.into_iter().collect(),
        }
    }
}

fn listed(kinds: &BTreeSet<Kind>) -> String {
    kinds.iter().map(|kind| format!("{:?}", kind.word())).collect::<Vec<_>>().join(", ")
}
