//! What is said of a word on a command line, besides its keys.

/// What is said of a word besides its keys.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spoken {
    /// What the value is the name or the number of, which can be said before it: `heal lun 0`.
    pub(crate) thing: Option<&'static str>,
    /// Words that stand for a key of the word's table.
    pub(crate) flags: &'static [Flag],
}

/// A word that stands for a key and its value: `link down A0`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flag {
    /// The word.
    pub(crate) word: &'static str,
    /// The key.
    pub(crate) key: &'static str,
    /// The value of the key.
    pub(crate) value: bool,
}

impl Spoken {
    /// Nothing.
    pub(crate) const PLAIN: Spoken = Spoken { thing: None, flags: &[] };

    /// A value that is the name or the number of a thing.
    pub(crate) const fn of(thing: &'static str) -> Self {
        Spoken { thing: Some(thing), flags: &[] }
    }
}
