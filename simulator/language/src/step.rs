//! `[[step]]`: the actions of the scenario and their times. Every action is a word in a file of its
//! own.

mod arm;
mod condition;
mod disarm;
mod end;
mod event;
mod fail;
mod heal;
mod identity;
mod isolate;
mod link;
mod map;
mod mask;
mod message;
mod notice;
mod on;
mod own;
mod phases;
mod plug;
mod port_group;
mod prefer;
mod read_only;
mod reinstate;
mod release;
mod remap;
mod replace;
mod replication;
mod reset_hba;
mod resize;
mod restore;
mod run;
mod set;
mod signal;
mod split;
mod start;
mod stop;
mod stretch;
mod trigger;
mod unit_attention;
mod unmap;
mod unmask;
mod unplug;
mod withdraw;
mod write;

use std::{fmt, ops::Range, sync::Arc, time::Duration};

pub(crate) use arm::Arm;
pub(crate) use condition::Condition;
pub(crate) use disarm::Disarm;
pub(crate) use fail::Fail;
pub(crate) use heal::Heal;
pub(crate) use isolate::Isolate;
pub(crate) use link::Link;
pub use on::OnEvent;
pub(crate) use own::{LunOwner, Own};
pub(crate) use phases::Phases;
pub(crate) use port_group::PortGroup;
pub(crate) use release::Release;
pub(crate) use replication::Replication;
pub(crate) use restore::Restore;
use sansim_array::Action;
use sansim_stage::Act;
pub(crate) use set::Set;
pub(crate) use split::Split;
pub use trigger::Trigger;
use trigger::TriggerTable;
pub(crate) use unit_attention::UnitAttention;

use crate::{
    Diagnostic,
    check::{Announced, Checker},
    form::{
        Choice, Entries, Form, Given, KeyForm, Name, Plain, PlainTable, Problems, Spoken, Table,
        TableForm, Value, Word, chosen, joined, table,
    },
    value::{At, TimeSpan},
};

/// An action of the scenario and its time.
#[derive(Debug, Clone)]
pub struct Step {
    /// The name, unique in the scenario; `step-1` and so on by default.
    pub name: String,
    /// Text for people, if there is one.
    pub caption: Option<String>,
    /// Whether the step need not happen or have an effect.
    pub optional: bool,
    /// When the step is executed.
    pub trigger: Trigger,
    /// The action that the step performs.
    pub action: StepAction,
    /// The action in words, for reports and events.
    pub words: String,
}

impl Step {
    /// A step that does this at the beginning, or at once where the time does not matter.
    pub fn of(name: String, action: StepAction) -> Self {
        let (trigger, words) = (Trigger::At(Duration::ZERO), words(&action));
        Step { name, trigger, action, words, caption: None, optional: false }
    }

    /// Whether the step is a test of its own: a program must end with code 0 if nothing else is said.
    pub fn is_a_test(&self) -> bool {
        !self.optional && matches!(self.action, StepAction::Act(Act::Run { .. }))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.trigger, self.words)
    }
}

/// The action of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum StepAction {
    /// An act on the array or in the guest.
    Act(Act),
    /// The story ends.
    End,
}

/// A word of `[[step]]`: an action with its keys.
pub(crate) trait StepWord: Table + fmt::Debug + Send + Sync + 'static {
    /// An example for the reference, in TOML.
    const EXAMPLE: &'static str;
    /// What is said of the word, besides its keys.
    const SPOKEN: Spoken = Spoken::PLAIN;

    /// The object that the step creates and that other tables can refer to, such as a mapped LUN.
    fn announce(&self) -> Announced {
        Announced::Nothing
    }

    /// Validates the keys and converts them; mistakes are reported to `checker`.
    fn check(&self, checker: &mut Checker<'_>) -> StepAction;

    /// The word for `action`; `None` if another word is for it.
    fn of(action: &StepAction) -> Option<Self>;

    /// The action in words; `None` if another word is for it.
    fn words(action: &StepAction) -> Option<String>;
}

/// A word for an action on the array. Actions that take effect at once, before a command is carried
/// out, can also be used in a fault rule.
pub(crate) trait ArrayWord: Table + fmt::Debug + Send + Sync + 'static {
    /// As [`StepWord::EXAMPLE`].
    const EXAMPLE: &'static str;
    /// As [`StepWord::SPOKEN`].
    const SPOKEN: Spoken = Spoken::PLAIN;

    /// As [`StepWord::announce`].
    fn announce(&self) -> Announced {
        Announced::Nothing
    }

    /// As [`StepWord::check`].
    fn check(&self, checker: &mut Checker<'_>) -> Action;

    /// As [`StepWord::of`].
    fn of(action: &Action) -> Option<Self>;

    /// As [`StepWord::words`].
    fn words(action: &Action) -> Option<String>;
}

impl<T: ArrayWord> StepWord for T {
    const EXAMPLE: &'static str = T::EXAMPLE;
    const SPOKEN: Spoken = T::SPOKEN;

    fn announce(&self) -> Announced {
        ArrayWord::announce(self)
    }

    fn check(&self, checker: &mut Checker<'_>) -> StepAction {
        StepAction::Act(Act::Array(ArrayWord::check(self, checker)))
    }

    fn of(action: &StepAction) -> Option<Self> {
        match action {
            StepAction::Act(Act::Array(action)) => ArrayWord::of(action),
            _ => None,
        }
    }

    fn words(action: &StepAction) -> Option<String> {
        match action {
            StepAction::Act(Act::Array(action)) => T::words(action),
            _ => None,
        }
    }
}

/// Type-erased [`StepWord`].
trait WrittenStep: fmt::Debug + Send + Sync {
    /// Writes the keys of the word to `table`.
    fn put(&self, table: &mut PlainTable);

    /// As [`StepWord::announce`].
    fn announce(&self) -> Announced;

    /// As [`StepWord::check`].
    fn check(&self, checker: &mut Checker<'_>) -> StepAction;
}

impl<T: StepWord> WrittenStep for T {
    fn put(&self, table: &mut PlainTable) {
        Table::put(self, table);
    }

    fn announce(&self) -> Announced {
        StepWord::announce(self)
    }

    fn check(&self, checker: &mut Checker<'_>) -> StepAction {
        StepWord::check(self, checker)
    }
}

/// The entry of an action in [`WORDS`].
struct Entry {
    word: Word<dyn WrittenStep>,
    spoken: Spoken,
    of: fn(&StepAction) -> Option<Arc<dyn WrittenStep>>,
    words: fn(&StepAction) -> Option<String>,
}

const fn entry<T: StepWord>() -> Entry {
    Entry {
        word: Word::new::<T>(T::EXAMPLE, |entries, problems| {
            T::take(entries, problems).map(|word| Arc::new(word) as Arc<dyn WrittenStep>)
        }),
        spoken: T::SPOKEN,
        of: |action| T::of(action).map(|word| Arc::new(word) as Arc<dyn WrittenStep>),
        words: T::words,
    }
}

/// All actions, in the order of the reference.
static WORDS: [Entry; 40] = [
    entry::<Fail>(),
    entry::<Restore>(),
    entry::<Isolate>(),
    entry::<Replication>(),
    entry::<Set>(),
    entry::<phases::Phases>(),
    entry::<link::Link>(),
    entry::<unplug::Unplug>(),
    entry::<plug::Plug>(),
    entry::<reset_hba::ResetHba>(),
    entry::<Own>(),
    entry::<prefer::Prefer>(),
    entry::<split::Split>(),
    entry::<heal::Heal>(),
    entry::<port_group::PortGroup>(),
    entry::<condition::Condition>(),
    entry::<release::Release>(),
    entry::<arm::Arm>(),
    entry::<disarm::Disarm>(),
    entry::<unit_attention::UnitAttention>(),
    entry::<message::Message>(),
    entry::<reinstate::Reinstate>(),
    entry::<signal::Signal>(),
    entry::<run::Run>(),
    entry::<write::Write>(),
    entry::<map::Map>(),
    entry::<unmap::Unmap>(),
    entry::<remap::Remap>(),
    entry::<mask::Mask>(),
    entry::<unmask::Unmask>(),
    entry::<stretch::Stretch>(),
    entry::<withdraw::Withdraw>(),
    entry::<replace::Replace>(),
    entry::<identity::Identity>(),
    entry::<resize::Resize>(),
    entry::<read_only::ReadOnly>(),
    entry::<event::Event>(),
    entry::<start::Start>(),
    entry::<stop::Stop>(),
    entry::<end::End>(),
];

/// The maximum length of a caption, in characters.
const MAX_CAPTION: usize = 500;

const ONE_ACTION: Choice = Choice {
    none: "this step does nothing",
    two: |first, second| format!("a step does one thing, not `{first}` and `{second}`"),
    help: "write a step for each of them",
};

/// A step as written in the file.
#[derive(Debug, Clone)]
pub(crate) struct StepTable {
    head: Head,
    trigger: TriggerTable,
    /// `None` if there is not exactly one action; the mistake has then been reported.
    word: Option<Arc<dyn WrittenStep>>,
}

table! {
    /// The keys that every step has, whatever its action.
    struct Head, "a table with `at` or `on` and one action" {
        /// The name of the step, for other steps, expectations and the report. Default: `step-1`
        /// and so on.
        name: Option<At<String>>,
        /// Text for people, at most 500 characters. A live lab shows it before the step is taken. A
        /// run ignores it.
        caption: Option<At<String>>,
        /// If true, the step need not happen, and it may come to nothing: a program may end with any
        /// code, and what is changed may be so already. Default: false, so that the run fails then.
        optional: Option<bool>,
    }
}

impl Value for StepTable {
    fn read(given: &Given<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let mut entries = Entries::open(given, Head::EXPECTED, problems)?;
        let head = Head::take(&mut entries, problems);
        let trigger = TriggerTable::take(&mut entries, problems);
        let words: Vec<_> = WORDS.iter().map(|entry| &entry.word).collect();
        let word = chosen(&words, &ONE_ACTION, &mut entries, problems);
        entries.close(problems);
        Some(StepTable { head: head?, trigger: trigger?, word: word? })
    }

    fn write(&self) -> Plain {
        let mut table = PlainTable::default();
        self.head.put(&mut table);
        self.trigger.put(&mut table);
        self.word.iter().for_each(|word| word.put(&mut table));
        Plain::Table(table)
    }

    fn form() -> Form {
        let mut keys = Head::keys();
        keys.extend(TriggerTable::keys());
        keys.extend(joined(WORDS.iter().map(|entry| (entry.word.forms)()), "Action: "));
        Form::Table(TableForm {
            name: "Step",
            about: "A step of the scenario: exactly one action, `at` a time or `on` an event.",
            keys,
        })
    }
}

impl StepTable {
    /// The name in the file, if there is one.
    pub(crate) fn name(&self) -> Option<&At<String>> {
        self.head.name.as_ref()
    }

    /// The time at which the step is taken, if it has one.
    pub(crate) fn time(&self) -> Option<&Name<TimeSpan>> {
        self.trigger.time()
    }

    /// The object that the step creates.
    pub(crate) fn announce(&self) -> Announced {
        self.word.as_ref().map_or(Announced::Nothing, |word| word.announce())
    }

    /// The table that would be read as `step`.
    pub(crate) fn of(step: &Step) -> Self {
        StepTable {
            head: Head {
                name: Some(At::nowhere(step.name.clone())),
                caption: step.caption.clone().map(At::nowhere),
                optional: Some(step.optional),
            },
            trigger: TriggerTable::of(&step.trigger),
            // Every action that a scenario can have is covered by a word.
            word: WORDS.iter().find_map(|entry| (entry.of)(&step.action)),
        }
    }

    /// The word for an action, with its keys.
    pub(crate) fn word(action: &StepAction) -> PlainTable {
        let mut table = PlainTable::default();
        let word = WORDS.iter().find_map(|entry| (entry.of)(action));
        word.iter().for_each(|word| word.put(&mut table));
        table
    }

    /// Validates the step and converts it; `None` if there is a mistake, which has been reported.
    pub(crate) fn check(
        &self,
        name: &str,
        span: &Range<usize>,
        checker: &mut Checker<'_>,
    ) -> Option<Step> {
        let trigger = self.trigger.check(name, span, checker);
        if let Some(time) = self.time().filter(|_| !self.head.optional.unwrap_or(false)) {
            checker.before_end(time);
        }
        let action = self.action(checker)?;
        Some(Step { trigger: trigger?, ..self.step(name, action, checker) })
    }

    /// Validates a step that is taken at once and converts it; `None` if there is a mistake, which
    /// has been reported.
    pub(crate) fn check_now(&self, name: &str, checker: &mut Checker<'_>) -> Option<Step> {
        self.trigger.refuse(checker);
        let action = self.action(checker)?;
        Some(self.step(name, action, checker))
    }

    /// Validates the action and converts it; `None` if it has been reported that there is none.
    pub(crate) fn action(&self, checker: &mut Checker<'_>) -> Option<StepAction> {
        self.word.as_ref().map(|word| word.check(checker))
    }

    /// The step with this action, at the beginning of the story.
    fn step(&self, name: &str, action: StepAction, checker: &mut Checker<'_>) -> Step {
        if let Some(caption) = &self.head.caption
            && (caption.trim().is_empty() || caption.chars().count() > MAX_CAPTION)
        {
            let problem = format!("a caption is 1 to {MAX_CAPTION} characters");
            checker.report(&caption.span, Diagnostic::error(problem));
        }
        let caption = self.head.caption.as_ref().map(|caption| caption.value.clone());
        let optional = self.head.optional.unwrap_or(false);
        Step { caption, optional, ..Step::of(name.to_owned(), action) }
    }
}

/// The action in words, for reports and events.
pub(crate) fn words(action: &StepAction) -> String {
    let words = WORDS.iter().find_map(|entry| (entry.words)(action));
    words.unwrap_or_else(|| format!("{action:?}"))
}

/// The keys of every action, each with an example, for the schema and the reference.
pub(crate) fn actions() -> impl Iterator<Item = (Vec<KeyForm>, &'static str)> {
    WORDS.iter().map(|entry| ((entry.word.forms)(), entry.word.example))
}

/// The keys of the action that `word` names, and what is said of it besides.
pub(crate) fn spoken(word: &str) -> Option<(Vec<KeyForm>, &'static Spoken)> {
    let entry = WORDS.iter().find(|entry| entry.word.key() == word)?;
    Some(((entry.word.forms)(), &entry.spoken))
}

/// The keys that every step has, besides those about its time.
pub(crate) fn head() -> Vec<KeyForm> {
    Head::keys()
}

pub(crate) use on::events;
