//! Words of which a table has exactly one: each brings the keys that belong to it, and its first key names
//! it.

use std::{ops::Range, sync::Arc};

use super::{Entries, KeyForm, Problems, Table};
use crate::near;

/// A word of a choice; `W` is what all of them can do once they are read.
pub(crate) struct Word<W: ?Sized + 'static> {
    /// Its keys; the first one names it.
    pub(crate) keys: &'static [&'static str],
    /// What the keys say and what they accept.
    pub(crate) forms: fn() -> Vec<KeyForm>,
    /// An example, to be put into a table.
    pub(crate) example: &'static str,
    /// Takes its keys.
    pub(crate) read: fn(&mut Entries<'_>, &mut Problems<'_>) -> Option<Arc<W>>,
}

impl<W: ?Sized> Word<W> {
    /// A word that is a table; `erase` forgets which.
    pub(crate) const fn new<T: Table>(
        example: &'static str,
        read: fn(&mut Entries<'_>, &mut Problems<'_>) -> Option<Arc<W>>,
    ) -> Self {
        Word { keys: T::KEYS, forms: T::keys, example, read }
    }

    /// The key that names it.
    pub(crate) fn key(&self) -> &'static str {
        self.keys[0]
    }
}

/// What is said about a table that has none or more than one of the words.
pub(crate) struct Choice {
    /// There is none.
    pub(crate) none: &'static str,
    /// There are two.
    pub(crate) two: fn(&str, &str) -> String,
    /// What to do then.
    pub(crate) help: &'static str,
}

/// Reads the one word that the table has. Keys of other words are answered with the word they go with. The
/// outer option is none if there is a mistake within the word; the inner one, if there is not exactly one.
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
        // A word that is mistyped is a key that nobody knows, which is said by itself.
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

/// A word that was found in a table.
pub(crate) struct Found<W: ?Sized> {
    /// The key that names it.
    pub(crate) key: &'static str,
    /// Where the value of that key stands.
    pub(crate) span: Range<usize>,
    /// The word.
    pub(crate) word: Arc<W>,
}

/// Reads every word that the table has, in the order of `words`; none if there is a mistake.
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

/// Keys that belong to other words than the one that is there.
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
