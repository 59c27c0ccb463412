//! `then`: what happens to a command or a task management function. Every effect is a word in a
//! file of its own; this file knows which effects can be combined.

mod corrupt;
mod delay;
mod function;
mod hold;
mod lose;
mod response;
mod sense;
mod short;
mod status;

use std::{fmt, ops::Range, sync::Arc};

use sansim_array::{
    Action, Answer, CommandFilter, DataFault, Effect, Fate, FunctionFate, FunctionThen, Lose,
    OpMatcher, Then, TmfResponse, Wait,
};
pub(crate) use status::StatusName;

use super::When;
use crate::{
    check::{Checker, in_words},
    form::{
        Entries, Form, Found, Given, KeyForm, Plain, PlainTable, Problems, Table, TableForm, Value,
        Word, joined, several,
    },
    step::{
        Arm, ArrayWord, Condition, Disarm, Fail, Heal, Isolate, Link, Own, Phases, PortGroup,
        Release, Replication, Restore, Set, Split, UnitAttention,
    },
    value::At,
};

/// The kind of an effect. It determines which effects can be combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// A response in place of the command's own. At most one.
    Answer,
    /// A response to a task management function. It replaces any other response.
    Function,
    /// A delay of the command.
    Wait,
    /// The loss of the command or its response, which excludes any other effect.
    Loss,
    /// Corruption of the data of a command that is carried out.
    Data,
    /// A change of the array before the command is carried out. At most one.
    Change,
}

/// The effects of a rule, by kind.
#[derive(Debug, Default)]
pub(super) struct Effects {
    pub(super) answer: Option<Answer>,
    pub(super) function: Option<TmfResponse>,
    pub(super) wait: Wait,
    pub(super) lose: Option<Lose>,
    pub(super) data: DataFault,
    pub(super) action: Option<Action>,
}

/// A word of `then`: an effect with its keys.
pub(super) trait EffectWord: Table + fmt::Debug + Send + Sync + 'static {
    /// An example for the reference, in TOML.
    const EXAMPLE: &'static str;
    /// The kind of the effect.
    const SORT: Sort;

    /// Validates the effect and adds it to `effects`.
    fn add(&self, effects: &mut Effects, checker: &mut Checker<'_>);

    /// The word for this kind of effect in `effects`; `None` if there is none.
    fn of(effects: &Effects) -> Option<Self>;

    /// Reports that the operation is one on which the effect is impossible.
    fn check_operation(&self, _: OpMatcher, _: &mut Checker<'_>) {}

    /// The name of the hold, if the effect is one.
    fn hold(&self) -> Option<&At<String>> {
        None
    }
}

impl<T: ArrayWord> EffectWord for T {
    const EXAMPLE: &'static str = <T as ArrayWord>::EXAMPLE;
    const SORT: Sort = Sort::Change;

    fn add(&self, effects: &mut Effects, checker: &mut Checker<'_>) {
        let action = self.check(checker);
        effects.action.get_or_insert(action);
    }

    fn of(effects: &Effects) -> Option<Self> {
        effects.action.as_ref().and_then(T::of)
    }
}

/// Type-erased [`EffectWord`].
trait Written: fmt::Debug + Send + Sync {
    fn put(&self, table: &mut PlainTable);
    fn sort(&self) -> Sort;
    fn add(&self, effects: &mut Effects, checker: &mut Checker<'_>);
    fn check_operation(&self, op: OpMatcher, checker: &mut Checker<'_>);
    fn hold(&self) -> Option<&At<String>>;
}

impl<T: EffectWord> Written for T {
    fn put(&self, table: &mut PlainTable) {
        Table::put(self, table);
    }

    fn sort(&self) -> Sort {
        T::SORT
    }

    fn add(&self, effects: &mut Effects, checker: &mut Checker<'_>) {
        EffectWord::add(self, effects, checker);
    }

    fn check_operation(&self, op: OpMatcher, checker: &mut Checker<'_>) {
        EffectWord::check_operation(self, op, checker);
    }

    fn hold(&self) -> Option<&At<String>> {
        EffectWord::hold(self)
    }
}

/// The entry of an effect in [`WORDS`].
struct Entry {
    word: Word<dyn Written>,
    sort: Sort,
    of: fn(&Effects) -> Option<Arc<dyn Written>>,
}

const fn entry<T: EffectWord>() -> Entry {
    Entry {
        word: Word::new::<T>(T::EXAMPLE, |entries, problems| {
            T::take(entries, problems).map(|word| Arc::new(word) as Arc<dyn Written>)
        }),
        sort: T::SORT,
        of: |effects| T::of(effects).map(|word| Arc::new(word) as Arc<dyn Written>),
    }
}

/// All effects, in the order of the reference.
static WORDS: [Entry; 25] = [
    entry::<sense::Sense>(),
    entry::<status::Status>(),
    entry::<response::Response>(),
    entry::<function::Function>(),
    entry::<delay::Delay>(),
    entry::<hold::Hold>(),
    entry::<lose::Lost>(),
    entry::<short::Short>(),
    entry::<corrupt::Corrupt>(),
    entry::<Fail>(),
    entry::<Restore>(),
    entry::<Isolate>(),
    entry::<Replication>(),
    entry::<Set>(),
    entry::<Own>(),
    entry::<Phases>(),
    entry::<Link>(),
    entry::<PortGroup>(),
    entry::<Condition>(),
    entry::<Split>(),
    entry::<Heal>(),
    entry::<UnitAttention>(),
    entry::<Arm>(),
    entry::<Disarm>(),
    entry::<Release>(),
];

/// `then` as written in the file.
#[derive(Debug, Clone)]
pub(super) struct ThenTable {
    /// Each word with its key and the position of its value.
    words: Vec<(&'static str, Range<usize>, Arc<dyn Written>)>,
}

impl Value for ThenTable {
    fn read(given: &Given<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let expected = "a table such as { sense = \"06/2a/01\" }";
        let mut entries = Entries::open(given, expected, problems)?;
        let words: Vec<_> = WORDS.iter().map(|entry| &entry.word).collect();
        let found = several(&words, &mut entries, problems);
        entries.close(problems);
        let words = found?.into_iter().map(|Found { key, span, word }| (key, span, word)).collect();
        Some(ThenTable { words })
    }

    fn write(&self) -> Plain {
        let mut table = PlainTable::default();
        self.words.iter().for_each(|(_, _, word)| word.put(&mut table));
        Plain::Table(table)
    }

    fn form() -> Form {
        let keys = WORDS.iter().flat_map(|entry| {
            let before = if entry.sort == Sort::Change { "Before the command: " } else { "" };
            joined(std::iter::once((entry.word.forms)()), before)
        });
        Form::Table(TableForm {
            name: "Then",
            about: "What happens to a caught command. A delay or a hold can be combined with a \
                    response. Without a response, the command is carried out afterwards.",
            keys: keys.collect(),
        })
    }
}

impl ThenTable {
    /// The name of the hold in these effects, if any.
    pub(super) fn hold(&self) -> Option<&At<String>> {
        self.words.iter().find_map(|(_, _, word)| word.hold())
    }

    /// Validates the effects and converts them; also returns what the rule catches. `span` is the
    /// position of the table in the file.
    pub(super) fn check(
        &self,
        when: &At<When>,
        span: &Range<usize>,
        checker: &mut Checker<'_>,
    ) -> Effect {
        let mut effects = Effects::default();
        for (_, _, word) in &self.words {
            word.add(&mut effects, checker);
            if let Some(op) = &when.op {
                word.check_operation(op.0, checker);
            }
        }
        self.check_together(span, checker);
        let action = effects.action.take().map(Box::new);
        match &when.task_management {
            Some(which) => {
                self.check_function(when, &effects, span, checker);
                let fate = function_fate(&effects);
                Effect::OnFunctions { which: which.0, then: FunctionThen { action, fate } }
            }
            None => {
                if let Some(place) = self.place(Sort::Function) {
                    let problem = "only task management functions are answered so";
                    let help =
                        "write `sense`, `status` or `response`, or `task_management` in `when`";
                    checker.refuse(place, problem, help);
                }
                let which = CommandFilter {
                    op: when.op.as_ref().map(|op| op.0),
                    page: when.page.as_ref().map(|page| page.0.0),
                    blocks: when.blocks.as_ref().map(|blocks| blocks.0.0.clone()),
                };
                Effect::OnCommands { which, then: Then { action, fate: fate(effects) } }
            }
        }
    }

    fn has(&self, sorts: &[Sort]) -> bool {
        self.words.iter().any(|(_, _, word)| sorts.contains(&word.sort()))
    }

    /// The position of the first word of a kind.
    fn place(&self, sort: Sort) -> Option<&Range<usize>> {
        self.words.iter().find(|(_, _, word)| word.sort() == sort).map(|(_, span, _)| span)
    }

    /// Reports effects that cannot be combined, whatever the rule catches.
    fn check_together(&self, span: &Range<usize>, checker: &mut Checker<'_>) {
        const ANSWERS: [Sort; 2] = [Sort::Answer, Sort::Function];
        for exclusive in [&ANSWERS[..], &[Sort::Change]] {
            let keys = self.words.iter();
            let keys: Vec<_> =
                keys.map(|(key, _, word)| (*key, exclusive.contains(&word.sort()))).collect();
            checker.exclusive(&keys, span);
        }
        if self.words.is_empty() {
            let keys = WORDS.iter().map(|entry| format!("`{}`", entry.word.key()));
            let help = format!("write one or more of {}", in_words(keys));
            checker.refuse(span, "nothing happens here", help);
        }
        let others = [Sort::Answer, Sort::Function, Sort::Wait, Sort::Data];
        if let Some(place) = self.place(Sort::Loss).filter(|_| self.has(&others)) {
            let help =
                "what is lost cannot be delayed, held, answered or spoilt; keep `lose` alone";
            checker.refuse(place, "`lose` goes with nothing else", help);
        }
        if self.has(&ANSWERS) && self.has(&[Sort::Data]) {
            let problem = "a command that is answered at once has no data that could be spoilt";
            checker.refuse(span, problem, "leave the answer or `short` and `corrupt` away");
        }
    }

    /// Reports effects that are impossible for a task management function: it has neither a CDB nor
    /// data, and is answered at once or never.
    fn check_function(
        &self,
        when: &When,
        effects: &Effects,
        span: &Range<usize>,
        checker: &mut Checker<'_>,
    ) {
        let asked = [
            ("op", when.op.as_ref().map(|it| &it.span)),
            ("page", when.page.as_ref().map(|it| &it.span)),
            ("blocks", when.blocks.as_ref().map(|it| &it.span)),
        ];
        for (key, span) in asked {
            let Some(span) = span else { continue };
            let problem = format!("a task management function has no `{key}`");
            checker.refuse(span, problem, "write a rule for commands, and another one for these");
        }
        let of_commands = self.has(&[Sort::Answer, Sort::Wait, Sort::Data]);
        if of_commands || effects.lose.is_some_and(|lose| lose != Lose::Forever) {
            let help = "write function = \"rejected\", or lose = \"forever\"";
            let problem = "a task management function is answered at once, or never";
            checker.refuse(span, problem, help);
        }
    }

    /// The table that would be read as `effect`.
    pub(super) fn of(effect: &Effect) -> Self {
        let effects = Effects::of(effect);
        let words = WORDS
            .iter()
            .filter_map(|entry| Some((entry.word.key(), Range::default(), (entry.of)(&effects)?)));
        ThenTable { words: words.collect() }
    }
}

/// The effects as the fate of a command.
fn fate(effects: Effects) -> Fate {
    let Effects { answer, wait, lose, data, .. } = effects;
    match (lose, answer) {
        (Some(lose), _) => Fate::Lost(lose),
        (None, Some(answer)) => Fate::Answered { wait, answer },
        (None, None) => Fate::CarriedOut { wait, data },
    }
}

/// The effects as the fate of a task management function.
fn function_fate(effects: &Effects) -> FunctionFate {
    match effects.function {
        Some(function) => FunctionFate::Answered(function),
        None if effects.lose.is_some() => FunctionFate::Lost,
        None => FunctionFate::CarriedOut,
    }
}

impl Effects {
    fn of(effect: &Effect) -> Self {
        let mut effects = Effects::default();
        match effect {
            Effect::OnCommands { then, .. } => {
                effects.action = then.action.as_deref().cloned();
                match then.fate.clone() {
                    Fate::CarriedOut { wait, data } => (effects.wait, effects.data) = (wait, data),
                    Fate::Answered { wait, answer } => {
                        (effects.wait, effects.answer) = (wait, Some(answer));
                    }
                    Fate::Lost(lose) => effects.lose = Some(lose),
                }
            }
            Effect::OnFunctions { then, .. } => {
                effects.action = then.action.as_deref().cloned();
                match then.fate {
                    FunctionFate::CarriedOut => {}
                    FunctionFate::Answered(function) => effects.function = Some(function),
                    FunctionFate::Lost => effects.lose = Some(Lose::Forever),
                }
            }
        }
        effects
    }
}

/// The keys of every effect, each with an example, for the schema and the reference.
pub(crate) fn effects() -> impl Iterator<Item = (Vec<KeyForm>, &'static str)> {
    WORDS.iter().map(|entry| ((entry.word.forms)(), entry.word.example))
}
