//! Tables with exactly one of several words. A word has one or more keys, and its first key names
//! it.

use std::{ops::Range, sync::Arc};

use super::{Entries, KeyForm, Problems, Table};
use crate::near;

/// A word of a choice. `W` is the trait that all words of the choice implement.
pub(crate) struct Word<W: ?Sized + 'static> {
    /// The keys of the word. The first one names it.
    pub(crate) keys: &'static [&'static str],
    /// The descriptions of the keys.
    pub(crate) forms: fn() -> Vec<KeyForm>,
    /// An example for the reference, without the surrounding table.
    pub(crate) example: &'static str,
    /// Reads the keys of the word.
    pub(crate) read: fn(&mut Entries<'_>, &mut Problems<'_>) -> Option<Arc<W>>,
}

impl<W: ?Sized> Word<W> {
    /// A word that is declared as a table. `erase` converts it to the trait object.
    pub(crate) const fn new<T: Table>(
        example: &'static str,
        read: fn(&mut Entries<'_>, &mut Problems<'_>) -> Option<Arc<W>>,
    ) -> Self {
        Word { keys: T::KEYS, forms: T::keys, example, read }
    }

    /// The key that names the word.
    pub(crate) fn key(&self) -> &'static str {
        self.keys[0]
    }
}

/// The messages for a table that has no word, or more than one.
pub(crate) struct Choice {
    /// The message for no word.
    pub(crate) none: &'static str,
    /// The message for two words, with their keys.
    pub(crate) two: fn(&str, &str) -> String,
    /// The help text for both.
    pub(crate) help: &'static str,
}

/// Reads the only word of a table. For keys of other words, the report names the word that they
/// belong to. The outer option is `None` if there is a mistake within the word, the inner one if
/// there is not exactly one word.
pub(crate) fn chosen<W: ?Sized>(
    words: &[&Word<W>],
    choice: &Choice,
    entries: &mut Entries<'_>,
    problems: &mut Problems<'_>,
) -> Option<Option<Arc<W>>> {
    let given: Vec<&&Word<W>> = words.iter().filter(|word| entries.has(word.key())).collect();
    let span: Range<usize> = entries.span.clone();
    words.iter().for_each(|word| entries.know(word.keys));
    let word = match given[..] {
        [word] => Some((word.read)(entries, problems)?),
        // A mistyped word is an unknown key, which is reported separately.
        [] if entries.has_strangers() => None,
        [] => {
            let names: Vec<_> = words.iter().map(|word| word.key()).collect();
            problems.refuse(&span, choice.none, near::help("", &names));
            None
        }
        [first, second, ..] => {
            problems.refuse(&span, (choice.two)(first.key(), second.key()), choice.help);
            None
        }
    };
    if let [word] = given[..] {
        refuse_companions(words, word, entries, problems);
    }
    Some(word)
}

/// A word from a table.
pub(crate) struct Found<W: ?Sized> {
    /// The key that names the word.
    pub(crate) key: &'static str,
    /// The position of the value of that key.
    pub(crate) span: Range<usize>,
    /// The word as a trait object.
    pub(crate) word: Arc<W>,
}

/// Reads every word of a table, in the order of `words`; `None` if there is a mistake.
pub(crate) fn several<W: ?Sized>(
    words: &[&Word<W>],
    entries: &mut Entries<'_>,
    problems: &mut Problems<'_>,
) -> Option<Vec<Found<W>>> {
    let mut found = Vec::new();
    let mut sound = true;
    let given: Vec<_> = words.iter().filter(|word| entries.has(word.key())).collect();
    for word in &given {
        let (key, span) = (word.key(), entries.place(word.key()).unwrap_or_default());
        match (word.read)(entries, problems) {
            Some(word) => found.push(Found { key, span, word }),
            None => sound = false,
        }
    }
    let strangers = words.iter().filter(|word| !entries.has(word.key()));
    for (word, key) in strangers.flat_map(|word| word.keys[1..].iter().map(move |key| (word, key)))
    {
        if let Some(span) = entries.place(key) {
            let problem = format!("`{key}` goes with `{}`", word.key());
            problems.refuse(&span, problem, "remove it");
        }
    }
    words.iter().for_each(|word| entries.know(word.keys));
    sound.then_some(found)
}

/// Reports keys that belong to words other than the present one.
fn refuse_companions<W: ?Sized>(
    words: &[&Word<W>],
    chosen: &Word<W>,
    entries: &Entries<'_>,
    problems: &mut Problems<'_>,
) {
    let mut seen = Vec::new();
    for key in words.iter().flat_map(|word| &word.keys[1..]) {
        let Some(span) = entries.place(key) else { continue };
        if chosen.keys.contains(key) || seen.contains(key) {
            continue;
        }
        seen.push(key);
        let owners = words.iter().filter(|word| word.keys.contains(key));
        let owners: Vec<_> = owners.map(|word| format!("`{}`", word.key())).collect();
        let problem = format!("`{key}` goes with {}", owners.join(" and "));
        problems.refuse(&span, problem, "remove it");
    }
}
