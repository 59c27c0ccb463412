//! `[[expect]]`: what must come of a story. Every condition is a word in a file of its own, which also judges
//! it.

mod commands;
mod fault;
mod group;
mod io;
mod log;
mod number;
mod owner;
mod owner_changes;
mod path;
mod paths;
mod ran;
mod rounds;
mod rounds_at_end;
#[cfg(test)]
mod tests;
mod uevents;
mod versions;

use std::{fmt, ops::Range, sync::Arc};

use sansim_array::Lun;
use sansim_stage::{Condition, Deadline};
use versions::KnownFailure;
pub use versions::{Known, Ranges, Versions};

use crate::{
    check::Checker,
    form::{
        Entries, Form, Found, Given, KeyForm, Many, Name, Plain, PlainTable, Problems, Table,
        TableForm, Value, Word, joined, name, several, table,
    },
    near,
    value::{At, TimeSpan, VersionRange},
};

/// Something that must be so.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// When it must be so.
    pub when: Deadline,
    /// What must be so, all of it at the same time; at least one.
    pub conditions: Vec<Arc<dyn Expected>>,
    /// What to tell a reader when it is not; empty if nothing was written.
    pub because: String,
    /// Where it is expected at all.
    pub on: Ranges,
    /// Where it is known not to be so.
    pub known: Vec<Known>,
    /// The LUN of conditions on a map.
    pub lun: Lun,
}

impl Expectation {
    /// The entry that says that it is known to fail with these versions.
    pub fn known_on(&self, versions: &Versions) -> Option<&Known> {
        self.known.iter().find(|known| known.on.contain(versions))
    }

    /// What the stage judges.
    pub fn judged(&self) -> sansim_stage::Expectation {
        let conditions = self.conditions.iter();
        sansim_stage::Expectation {
            when: self.when,
            conditions: conditions.map(|it| Arc::clone(it) as Arc<dyn Condition>).collect(),
            because: self.because.clone(),
            text: self.to_string(),
        }
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.when {
            Deadline::By(time) => write!(f, "by {}: ", TimeSpan(time))?,
            Deadline::At(time) => write!(f, "at {}: ", TimeSpan(time))?,
            Deadline::End => f.write_str("at the end: ")?,
            Deadline::Never => f.write_str("never: ")?,
        }
        for (i, condition) in self.conditions.iter().enumerate() {
            write!(f, "{}{condition}", if i > 0 { "; " } else { "" })?;
        }
        Ok(())
    }
}

/// A condition that can be written as a word of the language.
pub trait Expected: Condition {
    /// Adds its keys, to what other conditions of the same expectation have written.
    #[doc(hidden)]
    fn put(&self, table: &mut Expecting);
}

/// The keys of an expectation while it is written.
#[derive(Debug, Default)]
pub struct Expecting(PlainTable);

impl Expecting {
    /// Writes a key that there is once.
    fn put(&mut self, key: &str, value: &impl Value) {
        self.0.put(key, Some(value.write()));
    }

    /// Adds to a list.
    fn push(&mut self, key: &str, value: &impl Value) {
        let value = value.write();
        match self.0.0.iter_mut().find(|(known, _)| known == key) {
            Some((_, Plain::List(items))) => items.push(value),
            _ => self.0.put(key, Some(Plain::List(vec![value]))),
        }
    }

    /// Adds keys to a table.
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

/// What a word has to know of the expectation in which it stands.
struct Context {
    when: Deadline,
    lun: Lun,
}

/// A word for conditions.
trait ExpectWord: Table + fmt::Debug + Send + Sync + 'static {
    /// How it is written.
    const EXAMPLE: &'static str;

    /// What it means; mistakes are noted.
    fn check(&self, context: &Context, checker: &mut Checker<'_>) -> Vec<Arc<dyn Expected>>;
}

/// A word that has been read.
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

/// Every word, in the order in which conditions are judged.
static WORDS: [Word<dyn Written>; 13] = [
    word::<owner::Owner>(),
    word::<owner_changes::OwnerChanges>(),
    word::<io::Io>(),
    word::<commands::Commands>(),
    word::<rounds::Rounds>(),
    word::<rounds_at_end::RoundsAtEnd>(),
    word::<paths::Paths>(),
    word::<path::Path>(),
    word::<group::Group>(),
    word::<uevents::Uevents>(),
    word::<log::Log>(),
    word::<ran::Ran>(),
    word::<fault::Fault>(),
];

table! {
    /// When it must be so.
    struct When, "a table of what must be so" {
        /// It must be so at some time not later than this. Limits on `io` must hold at the end as well.
        by: Option<Name<TimeSpan>>,
        /// It must be so at this time.
        at: Option<Name<TimeSpan>>,
        /// With true: it must not be so at any time of the story.
        never: Option<At<bool>>,
        /// The LUN whose map `rounds`, `paths`, `path`, `group`, `uevents` and `owner_changes` are about. Default: the
        /// workload's.
        lun: Option<At<u64>>,
    }
}

table! {
    /// Where it must be so, and why.
    struct Where, "a table of what must be so" {
        /// Expected on these kernels only. Default: on all of them.
        kernel: Option<Name<VersionRange>>,
        /// Expected with these versions of multipath-tools only. Default: with all of them.
        multipath_tools: Option<Name<VersionRange>>,
        /// What to tell a reader when it is not so.
        because: Option<String>,
        /// Kernels on which it is known not to be so.
        known: Many<At<KnownFailure>>,
    }
}

/// An expectation as it is written.
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
            about: "Something that must be so: at the end of the story, unless `by`, `at` or `never` says \
                    otherwise. Everything in one of these tables must be so at the same time.",
            keys,
        })
    }
}

impl ExpectTable {
    /// What it means; mistakes are noted. `span` is where the table stands.
    pub(crate) fn check(&self, span: &Range<usize>, checker: &mut Checker<'_>) -> Expectation {
        let when = self.when.check(span, checker);
        let lun = checker.lun_or_main(self.when.lun.as_ref());
        let context = Context { when, lun };
        let conditions = self.words.iter().flat_map(|word| word.check(&context, checker)).collect();
        if self.words.is_empty() {
            let names: Vec<_> = WORDS.iter().map(Word::key).collect();
            checker.refuse(span, "nothing is expected here", near::help("", &names));
        }
        let Where { kernel, multipath_tools, because, known } = &self.rest;
        Expectation {
            when,
            conditions,
            because: because.clone().unwrap_or_default(),
            on: Ranges::of(kernel, multipath_tools),
            known: known.iter().map(|known| known.check(checker)).collect(),
            lun,
        }
    }
}

impl When {
    fn check(&self, span: &Range<usize>, checker: &mut Checker<'_>) -> Deadline {
        let When { by, at, never, .. } = self;
        let keys = [("by", by.is_some()), ("at", at.is_some()), ("never", never.is_some())];
        checker.exclusive(&keys, span);
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

    /// The way back.
    fn of(when: Deadline, lun: Lun) -> Self {
        let mut table = When { by: None, at: None, never: None, lun: Some(lun.into()) };
        match when {
            Deadline::By(time) => table.by = Some(name(TimeSpan(time))),
            Deadline::At(time) => table.at = Some(name(TimeSpan(time))),
            Deadline::Never => table.never = Some(At::nowhere(true)),
            Deadline::End => {}
        }
        table
    }
}

/// Writes an expectation back.
pub(crate) fn write(expectation: &Expectation) -> Plain {
    let mut expecting = Expecting::default();
    When::of(expectation.when, expectation.lun).put(&mut expecting.0);
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

/// The keys of every condition, and an example of it.
pub(crate) fn conditions() -> impl Iterator<Item = (Vec<KeyForm>, &'static str)> {
    WORDS.iter().map(|word| ((word.forms)(), word.example))
}

/// A condition, to be put among others.
fn condition(condition: impl Expected + 'static) -> Arc<dyn Expected> {
    Arc::new(condition)
}
