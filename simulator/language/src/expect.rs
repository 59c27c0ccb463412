//! `[[expect]]`: the expected results of a story. Every condition is a word in a file of its own,
//! which also evaluates the condition.

mod commands;
mod disks;
mod fault;
mod group;
mod io;
mod log;
mod map;
mod number;
mod owner;
mod owner_changes;
mod path;
mod paths;
mod ran;
mod replication;
mod rounds;
mod rounds_at_end;
#[cfg(test)]
mod tests;
mod uevents;
mod versions;

use std::{fmt, ops::Range, sync::Arc};

pub(crate) use replication::ReplicationName;
use sansim_array::Lun;
use sansim_stage::{Condition, Counted, Deadline};
use versions::KnownFailure;
pub use versions::{Known, Ranges, Versions};

use crate::{
    Diagnostic,
    check::{Checker, Shape},
    form::{
        Entries, Form, Found, Given, KeyForm, Many, Name, Plain, PlainTable, Problems, Table,
        TableForm, Value, Word, joined, name, several, table,
    },
    near,
    value::{At, Comparison, TimeSpan, VersionRange},
};

/// An expected result, with its deadline and the versions for which it applies.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// When the conditions must hold.
    pub when: Deadline,
    /// The conditions, at least one. All must hold at the same time.
    pub conditions: Vec<Arc<dyn Expected>>,
    /// The explanation for a failure; empty if there is none.
    pub because: String,
    /// The versions for which the expectation applies.
    pub on: Ranges,
    /// The versions for which the expectation is known to fail.
    pub known: Vec<Known>,
    /// The LUN whose map the conditions refer to.
    pub lun: Lun,
    /// The step that must have been completed before the conditions are looked at.
    pub after: Option<String>,
    /// Whether the conditions must have ceased to hold before they hold.
    pub again: bool,
}

impl Expectation {
    /// Whether the expectation is met where nothing happens: all that it asks for is that something
    /// does not happen.
    pub fn is_of_nothing(&self) -> bool {
        // A workload does I/O by itself.
        if self.conditions.iter().any(|it| it.is_about_io()) {
            return false;
        }
        match self.when {
            Deadline::Never => self.conditions.iter().any(|it| !it.is_about_discovery()),
            _ => self.conditions.iter().all(|it| it.is_of_nothing()),
        }
    }

    /// The entry of `known` that covers these versions.
    pub fn known_on(&self, versions: &Versions) -> Option<&Known> {
        self.known.iter().find(|known| known.on.contain(versions))
    }

    /// The expectation in the form that the stage evaluates, for these versions.
    pub fn judged(&self, versions: &Versions) -> sansim_stage::Expectation {
        let symptom = |known: &Known| sansim_stage::Symptom {
            because: known.because.clone(),
            conditions: as_conditions(&known.seen),
        };
        sansim_stage::Expectation {
            when: self.when,
            conditions: as_conditions(&self.conditions),
            because: self.because.clone(),
            text: self.to_string(),
            after: self.after.clone(),
            again: self.again,
            known: self.known_on(versions).map(symptom),
        }
    }

    /// Everything that must be counted so that the expectation can be evaluated.
    pub fn counted(&self) -> impl Iterator<Item = Counted> + '_ {
        let symptoms = self.known.iter().flat_map(|known| &known.seen);
        self.conditions.iter().chain(symptoms).filter_map(|condition| condition.counted())
    }
}

fn as_conditions(conditions: &[Arc<dyn Expected>]) -> Vec<Arc<dyn Condition>> {
    conditions.iter().map(|it| Arc::clone(it) as Arc<dyn Condition>).collect()
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.when {
            Deadline::By(time) => write!(f, "by {}: ", TimeSpan(time))?,
            Deadline::At(time) => write!(f, "at {}: ", TimeSpan(time))?,
            Deadline::End => f.write_str("at the end: ")?,
            Deadline::Never => f.write_str("never: ")?,
        }
        if let Some(step) = &self.after {
            write!(f, "after step {step:?}: ")?;
        }
        for (i, condition) in self.conditions.iter().enumerate() {
            write!(f, "{}{condition}", if i > 0 { "; " } else { "" })?;
        }
        f.write_str(if self.again { ", again" } else { "" })
    }
}

/// A condition that has a word in the language.
pub trait Expected: Condition {
    /// Adds the keys of the condition to those of the other conditions of the expectation.
    #[doc(hidden)]
    fn put(&self, table: &mut Expecting);

    /// Whether the condition holds where nothing happens, such as a count that may be 0.
    fn is_of_nothing(&self) -> bool {
        false
    }

    /// Whether the condition is about discovery, in which something always happens.
    fn is_about_discovery(&self) -> bool {
        false
    }

    /// Whether the condition is about the disks or the map of this LUN, so that the story may begin
    /// without them.
    fn is_about_map_of(&self, _lun: Lun) -> bool {
        false
    }

    /// Whether the condition says that this fault rule may fire 0 times.
    fn allows_no_firing(&self, _rule: &str) -> bool {
        false
    }

    /// What the condition asks of the exit code of this step's program, if it asks anything.
    fn code_of(&self, _step: &str) -> Option<&Comparison<u64>> {
        None
    }

    /// Whether the condition asks how this step's program ended: for its exit code, or what killed it.
    fn is_about_end_of(&self, step: &str) -> bool {
        self.code_of(step).is_some()
    }

    /// Whether the condition holds at the beginning of the story, as far as can be known before.
    #[doc(hidden)]
    fn holds_at_first(&self, _: &Shape) -> bool {
        self.is_of_nothing()
    }
}

/// The keys of an expectation that is being written.
#[derive(Debug, Default)]
pub struct Expecting(PlainTable);

impl Expecting {
    /// Writes a key that can occur only once.
    fn put(&mut self, key: &str, value: &impl Value) {
        self.0.put(key, Some(value.write()));
    }

    /// Appends `value` to the list `key`.
    fn push(&mut self, key: &str, value: &impl Value) {
        let value = value.write();
        match self.0.0.iter_mut().find(|(known, _)| known == key) {
            Some((_, Plain::List(items))) => items.push(value),
            _ => self.0.put(key, Some(Plain::List(vec![value]))),
        }
    }

    /// Adds keys to the table `key`.
    fn merge(&mut self, key: &str, keys: &impl Table) {
        match self.0.0.iter_mut().find(|(known, _)| known == key) {
            Some((_, Plain::Table(table))) => keys.put(table),
            _ => {
                let mut table = PlainTable::default();
                keys.put(&mut table);
                self.0.put(key, Some(Plain::Table(table)));
            }
        }
    }
}

/// The part of the expectation that its words depend on.
struct Context {
    when: Deadline,
    lun: Lun,
}

impl Context {
    fn is_never(&self) -> bool {
        self.when == Deadline::Never
    }
}

/// A word of `[[expect]]`: its keys and the conditions that they stand for.
trait ExpectWord: Table + fmt::Debug + Send + Sync + 'static {
    /// An example for the reference, in TOML.
    const EXAMPLE: &'static str;

    /// Validates the keys and converts them to conditions; mistakes are reported to `checker`.
    fn check(&self, context: &Context, checker: &mut Checker<'_>) -> Vec<Arc<dyn Expected>>;
}

/// Type-erased [`ExpectWord`].
trait Written: fmt::Debug + Send + Sync {
    fn put(&self, table: &mut PlainTable);
    fn check(&self, context: &Context, checker: &mut Checker<'_>) -> Vec<Arc<dyn Expected>>;
}

impl<T: ExpectWord> Written for T {
    fn put(&self, table: &mut PlainTable) {
        Table::put(self, table);
    }

    fn check(&self, context: &Context, checker: &mut Checker<'_>) -> Vec<Arc<dyn Expected>> {
        ExpectWord::check(self, context, checker)
    }
}

const fn word<T: ExpectWord>() -> Word<dyn Written> {
    Word::new::<T>(T::EXAMPLE, |entries, problems| {
        T::take(entries, problems).map(|word| Arc::new(word) as Arc<dyn Written>)
    })
}

/// All conditions, in the order of evaluation.
static WORDS: [Word<dyn Written>; 16] = [
    word::<owner::Owner>(),
    word::<owner_changes::OwnerChanges>(),
    word::<replication::Replication>(),
    word::<io::Io>(),
    word::<commands::Commands>(),
    word::<rounds::Rounds>(),
    word::<rounds_at_end::RoundsAtEnd>(),
    word::<disks::Disks>(),
    word::<map::Map>(),
    word::<paths::Paths>(),
    word::<path::Path>(),
    word::<group::Group>(),
    word::<uevents::Uevents>(),
    word::<log::Log>(),
    word::<ran::Ran>(),
    word::<fault::Fault>(),
];

table! {
    /// When the conditions must hold.
    struct When, "a table of what must be so" {
        /// The conditions must hold at some time no later than this. Limits on `io` must also hold
        /// at the end of the story.
        by: Option<Name<TimeSpan>>,
        /// The conditions must hold at this time.
        at: Option<Name<TimeSpan>>,
        /// If true, the conditions must not hold at any time of the story.
        never: Option<At<bool>>,
        /// The step that must have been completed before the conditions are looked at. Goes with
        /// `by` and `never`.
        after: Option<At<String>>,
        /// If true, the conditions must have ceased to hold at some time of the story before they
        /// hold. Goes with `by`.
        again: Option<At<bool>>,
        /// The LUN that `disks`, `map`, `rounds`, `paths`, `path`, `group`, `uevents` and
        /// `owner_changes` refer to. Default: the workload's.
        lun: Option<At<u64>>,
    }
}

table! {
    /// For which versions the conditions must hold, and why.
    struct Where, "a table of what must be so" {
        /// The conditions are expected only on these kernels. Default: on all of them.
        kernel: Option<Name<VersionRange>>,
        /// The conditions are expected only with these versions of multipath-tools. Default: with
        /// all of them.
        multipath_tools: Option<Name<VersionRange>>,
        /// An explanation for the report if the expectation fails.
        because: Option<String>,
        /// Versions with which the expectation is known to fail.
        known: Many<At<KnownFailure>>,
    }
}

/// Conditions that hold instead of the expected ones, as written in the file or to be written.
#[derive(Debug, Clone)]
enum Symptom {
    Read(Vec<Arc<dyn Written>>),
    ToWrite(Vec<Arc<dyn Expected>>),
}

impl Symptom {
    fn check(&self, context: &Context, checker: &mut Checker<'_>) -> Vec<Arc<dyn Expected>> {
        match self {
            Symptom::Read(words) => {
                words.iter().flat_map(|word| word.check(context, checker)).collect()
            }
            Symptom::ToWrite(conditions) => conditions.clone(),
        }
    }

    /// The table that would be read as `conditions`.
    fn of(conditions: &[Arc<dyn Expected>]) -> Self {
        Symptom::ToWrite(conditions.to_vec())
    }
}

impl Value for Symptom {
    fn read(given: &Given<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let expected = "a table such as { paths = { failed = 1 } }";
        let mut entries = Entries::open(given, expected, problems)?;
        let words: Vec<_> = WORDS.iter().collect();
        let found = several(&words, &mut entries, problems);
        entries.close(problems);
        Some(Symptom::Read(found?.into_iter().map(|Found { word, .. }| word).collect()))
    }

    fn write(&self) -> Plain {
        let mut expecting = Expecting::default();
        match self {
            Symptom::Read(words) => words.iter().for_each(|word| word.put(&mut expecting.0)),
            Symptom::ToWrite(conditions) => {
                conditions.iter().for_each(|condition| condition.put(&mut expecting));
            }
        }
        Plain::Table(expecting.0)
    }

    fn form() -> Form {
        Form::Table(TableForm {
            name: "Symptom",
            about: "What is seen when a known failure happens: conditions as in `[[expect]]`, with the \
                    expectation's `lun`. All must hold, and nothing else of the expectation may fail: \
                    what is expected of anything that is not named here must be met.",
            keys: joined(WORDS.iter().map(|word| (word.forms)()), ""),
        })
    }
}

/// An expectation as written in the file.
#[derive(Debug, Clone)]
pub(crate) struct ExpectTable {
    when: When,
    words: Vec<Arc<dyn Written>>,
    rest: Where,
}

impl Value for ExpectTable {
    fn read(given: &Given<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let mut entries = Entries::open(given, When::EXPECTED, problems)?;
        let when = When::take(&mut entries, problems);
        let words: Vec<_> = WORDS.iter().collect();
        let found = several(&words, &mut entries, problems);
        let rest = Where::take(&mut entries, problems);
        entries.close(problems);
        let words = found?.into_iter().map(|Found { word, .. }| word).collect();
        Some(ExpectTable { when: when?, words, rest: rest? })
    }

    fn write(&self) -> Plain {
        let mut table = PlainTable::default();
        self.when.put(&mut table);
        self.words.iter().for_each(|word| word.put(&mut table));
        self.rest.put(&mut table);
        Plain::Table(table)
    }

    fn form() -> Form {
        let mut keys = When::keys();
        keys.extend(joined(WORDS.iter().map(|word| (word.forms)()), ""));
        keys.extend(Where::keys());
        Form::Table(TableForm {
            name: "Expect",
            about: "An expected result: conditions that must hold at the end of the story, unless `by`, \
                    `at` or `never` is given. All conditions of a table must hold at the same time.",
            keys,
        })
    }
}

impl ExpectTable {
    /// Validates the table and converts it; mistakes are reported to `checker`. `span` is the
    /// position of the table in the file.
    pub(crate) fn check(&self, span: &Range<usize>, checker: &mut Checker<'_>) -> Expectation {
        let when = self.when.check(span, checker);
        let lun = checker.lun_or_main(self.when.lun.as_ref());
        let context = Context { when, lun };
        let words = self.words.iter();
        let conditions: Vec<_> = words.flat_map(|word| word.check(&context, checker)).collect();
        if self.words.is_empty() {
            let names: Vec<_> = WORDS.iter().map(Word::key).collect();
            checker.refuse(span, "nothing is expected here", near::help("", &names));
        }
        let Where { kernel, multipath_tools, because, known } = &self.rest;
        let known = known.iter().map(|known| known.check(&context, &conditions, checker)).collect();
        let (after, again) = self.when.check_before(checker);
        if after.is_none() && !again {
            warn_of_by(when, &conditions, span, checker);
        }
        Expectation {
            when,
            conditions,
            because: because.clone().unwrap_or_default(),
            on: Ranges::of(kernel, multipath_tools),
            known,
            lun,
            after,
            again,
        }
    }
}

impl When {
    fn check(&self, span: &Range<usize>, checker: &mut Checker<'_>) -> Deadline {
        let When { by, at, never, .. } = self;
        let keys = [("by", by.is_some()), ("at", at.is_some()), ("never", never.is_some())];
        checker.exclusive(&keys, span);
        by.iter().chain(at).for_each(|time| checker.before_end(time));
        if let Some(by) = by {
            Deadline::By(checker.story_time(by))
        } else if let Some(at) = at {
            Deadline::At(checker.story_time(at))
        } else if let Some(never) = never {
            if !never.value {
                checker.refuse(&never.span, "`never` is true or not there", "remove it");
            }
            Deadline::Never
        } else {
            Deadline::End
        }
    }

    /// Validates what must have been before.
    fn check_before(&self, checker: &mut Checker<'_>) -> (Option<String>, bool) {
        if let Some(after) = &self.after
            && self.by.is_none()
            && self.never.is_none()
        {
            let help = "what is seen at a time, or at the end, is seen whatever came before";
            checker.refuse(&after.span, "`after` goes with `by` or `never`", help);
        }
        if let Some(again) = &self.again {
            if !again.value {
                checker.refuse(&again.span, "`again` is true or not there", "remove it");
            } else if self.by.is_none() {
                checker.refuse(&again.span, "`again` goes with `by`", "write `by`, or remove it");
            }
        }
        let after = self.after.as_ref().map(|after| checker.step_before(after));
        (after, self.again.as_ref().is_some_and(|again| again.value))
    }

    /// The keys that would be read as the times and the LUN of `expectation`.
    fn of(expectation: &Expectation) -> Self {
        let mut table = When {
            by: None,
            at: None,
            never: None,
            after: expectation.after.clone().map(At::nowhere),
            again: expectation.again.then(|| At::nowhere(true)),
            lun: Some(expectation.lun.into()),
        };
        match expectation.when {
            Deadline::By(time) => table.by = Some(name(TimeSpan(time))),
            Deadline::At(time) => table.at = Some(name(TimeSpan(time))),
            Deadline::Never => table.never = Some(At::nowhere(true)),
            Deadline::End => {}
        }
        table
    }
}

/// Warns of an expectation that is met before anything has happened.
fn warn_of_by(
    when: Deadline,
    conditions: &[Arc<dyn Expected>],
    span: &Range<usize>,
    checker: &mut Checker<'_>,
) {
    // Those on I/O are looked at again at the end.
    let mut timed = conditions.iter().filter(|condition| !condition.is_about_io()).peekable();
    let at_first = timed.peek().is_some() && timed.all(|it| it.holds_at_first(&checker.shape));
    if matches!(when, Deadline::By(time) if !time.is_zero()) && at_first {
        let warning = "this is so at the beginning already, and `by` asks for one moment only";
        let help = "write after = \"STEP\" or again = true beside `by`, or `at` for a later moment, or leave \
                    `by` away for the end";
        checker.report(span, Diagnostic::warning(warning).help(help));
    }
}

/// Writes an expectation as a table.
pub(crate) fn write(expectation: &Expectation) -> Plain {
    let mut expecting = Expecting::default();
    When::of(expectation).put(&mut expecting.0);
    expectation.conditions.iter().for_each(|condition| condition.put(&mut expecting));
    let rest = Where {
        kernel: expectation.on.kernel.clone().map(name),
        multipath_tools: expectation.on.multipath_tools.clone().map(name),
        because: Some(expectation.because.clone()).filter(|text| !text.is_empty()),
        known: Many(expectation.known.iter().map(|it| At::nowhere(KnownFailure::of(it))).collect()),
    };
    rest.put(&mut expecting.0);
    Plain::Table(expecting.0)
}

/// The keys of an expectation.
pub(crate) fn keys() -> Vec<KeyForm> {
    match ExpectTable::form() {
        Form::Table(table) => table.keys,
        _ => Vec::new(),
    }
}

/// The keys of every condition, each with an example, for the schema and the reference.
pub(crate) fn conditions() -> impl Iterator<Item = (Vec<KeyForm>, &'static str)> {
    WORDS.iter().map(|word| ((word.forms)(), word.example))
}

/// `condition` as a trait object.
fn condition(condition: impl Expected + 'static) -> Arc<dyn Expected> {
    Arc::new(condition)
}
