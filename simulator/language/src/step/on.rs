//! `on`: the events that a step can wait for. Every event is a word in a file of its own.

mod controller;
mod fault;
mod held;
mod log;
mod owner;
mod path_failed;
mod pg_init;
mod replication;
mod step;

use std::{fmt, sync::Arc};

use sansim_stage::{Awaited, Seen, World};

use crate::{
    check::Checker,
    form::{
        Choice, Entries, Form, Given, KeyForm, Plain, PlainTable, Problems, Table, TableForm,
        Value, Word, chosen, joined,
    },
    value::At,
};

/// An event that a step waits for.
#[derive(Debug, Clone)]
pub struct OnEvent(Arc<dyn Event>);

impl fmt::Display for OnEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Awaited for OnEvent {
    fn has_come(&self, seen: &Seen<'_>, world: &World) -> bool {
        self.0.has_come(seen, world)
    }
}

/// An event of `on` after its keys have been validated.
pub(crate) trait Event: Awaited {
    /// Writes the keys of the event to `table`.
    fn put(&self, table: &mut PlainTable);
}

/// A word of `on`: an event with its keys.
pub(crate) trait OnWord: Table + fmt::Debug + Send + Sync + 'static {
    /// An example for the reference, in TOML.
    const EXAMPLE: &'static str;
    /// The event that the word stands for.
    type Event: Event + 'static;

    /// Validates the keys for the step named `step` and converts them.
    fn check(&self, step: &str, checker: &mut Checker<'_>) -> Self::Event;
}

/// Type-erased [`OnWord`].
trait Written: fmt::Debug + Send + Sync {
    fn put(&self, table: &mut PlainTable);
    fn check(&self, step: &str, checker: &mut Checker<'_>) -> OnEvent;
}

impl<T: OnWord> Written for T {
    fn put(&self, table: &mut PlainTable) {
        Table::put(self, table);
    }

    fn check(&self, step: &str, checker: &mut Checker<'_>) -> OnEvent {
        OnEvent(Arc::new(OnWord::check(self, step, checker)))
    }
}

const fn word<T: OnWord>() -> Word<dyn Written> {
    Word::new::<T>(T::EXAMPLE, |entries, problems| {
        T::take(entries, problems).map(|word| Arc::new(word) as Arc<dyn Written>)
    })
}

/// All events, in the order of the reference.
static WORDS: [Word<dyn Written>; 9] = [
    word::<fault::Fault>(),
    word::<pg_init::PgInit>(),
    word::<owner::Owner>(),
    word::<replication::Replication>(),
    word::<controller::Controller>(),
    word::<path_failed::PathFailed>(),
    word::<held::Held>(),
    word::<log::Log>(),
    word::<step::Step>(),
];

const ONE_EVENT: Choice = Choice {
    none: "no event is named here",
    two: |first, second| format!("`{first}` and `{second}` exclude each other"),
    help: "keep one of them",
};

/// `on` as written in the file.
#[derive(Debug, Clone)]
pub(super) struct OnTable(Content);

#[derive(Debug, Clone)]
enum Content {
    /// `None` if there is not exactly one event; the mistake has then been reported.
    Read(Option<Arc<dyn Written>>),
    ToWrite(OnEvent),
}

impl Value for OnTable {
    fn read(given: &Given<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let expected = "a table such as { fault = \"name\" }";
        let mut entries = Entries::open(given, expected, problems)?;
        let words: Vec<_> = WORDS.iter().collect();
        let word = chosen(&words, &ONE_EVENT, &mut entries, problems);
        entries.close(problems);
        Some(OnTable(Content::Read(word?)))
    }

    fn write(&self) -> Plain {
        let mut table = PlainTable::default();
        match &self.0 {
            Content::Read(word) => word.iter().for_each(|word| word.put(&mut table)),
            Content::ToWrite(event) => event.0.put(&mut table),
        }
        Plain::Table(table)
    }

    fn form() -> Form {
        let keys = joined(WORDS.iter().map(|word| (word.forms)()), "");
        Form::Table(TableForm { name: "On", about: "The event to wait for: exactly one.", keys })
    }
}

impl OnTable {
    /// Validates the event and converts it; `None` if there is a mistake, which has been reported.
    pub(super) fn check(&self, step: &str, checker: &mut Checker<'_>) -> Option<OnEvent> {
        match &self.0 {
            Content::Read(word) => word.as_ref().map(|word| word.check(step, checker)),
            Content::ToWrite(event) => Some(event.clone()),
        }
    }

    /// The table that would be read as `event`.
    pub(super) fn of(event: &OnEvent) -> Self {
        OnTable(Content::ToWrite(event.clone()))
    }
}

/// The keys of every event, each with an example, for the schema and the reference.
pub(crate) fn events() -> impl Iterator<Item = (Vec<KeyForm>, &'static str)> {
    WORDS.iter().map(|word| ((word.forms)(), word.example))
}

/// Writes the keys of `word` to `table`.
fn put<T: Table>(word: &T, table: &mut PlainTable) {
    word.put(table);
}

/// A value without a position in the file.
fn at<T>(value: T) -> At<T> {
    At::nowhere(value)
}
