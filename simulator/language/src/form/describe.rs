//! Descriptions of accepted values, from which the JSON Schema and the reference are generated.

/// The description of an accepted value.
#[derive(Debug, Clone)]
pub(crate) enum Form {
    /// `true` or `false`.
    Boolean,
    /// A whole number, not negative.
    Whole,
    /// Any number.
    Number,
    /// Any string.
    Text,
    /// A string of a certain format.
    Pattern {
        /// The name of the format.
        name: &'static str,
        /// A phrase that can follow "expected".
        expected: &'static str,
        /// The format as a regular expression.
        pattern: String,
    },
    /// One of several words.
    Words {
        /// The name of the choice.
        name: &'static str,
        /// A sentence about what is chosen.
        about: &'static str,
        /// The accepted words.
        words: Vec<WordForm>,
    },
    /// A table with fixed keys.
    Table(TableForm),
    /// A list.
    List(Box<Form>),
    /// A table with keys that the user chooses.
    Map(Box<Form>),
    /// One of several forms.
    Either(Vec<Form>),
}

/// An accepted word.
#[derive(Debug, Clone)]
pub(crate) struct WordForm {
    /// The word as it is written.
    pub(crate) word: &'static str,
    /// The meaning of the word.
    pub(crate) about: &'static str,
}

/// A table with fixed keys.
#[derive(Debug, Clone)]
pub(crate) struct TableForm {
    /// The name of the table in the JSON Schema.
    pub(crate) name: &'static str,
    /// A sentence about the table.
    pub(crate) about: &'static str,
    /// The keys in the order of the declaration.
    pub(crate) keys: Vec<KeyForm>,
}

/// A key of a table.
#[derive(Debug, Clone)]
pub(crate) struct KeyForm {
    /// The key as it is written.
    pub(crate) key: &'static str,
    /// The description of the key, from the doc comment.
    pub(crate) about: String,
    /// Whether the key is required.
    pub(crate) required: bool,
    /// The accepted value.
    pub(crate) form: Form,
}

impl TableForm {
    /// The title of the table in the reference.
    pub(crate) fn title(&self) -> &'static str {
        self.name.strip_suffix("Table").unwrap_or(self.name)
    }
}

impl KeyForm {
    /// The key of a word among other words: it is not required, and `before` is put before its
    /// description.
    pub(crate) fn among_others(self, before: &str) -> Self {
        let mut letters = self.about.trim().chars();
        let first = letters.next().map(|first| first.to_ascii_lowercase());
        let about = match before {
            "" => self.about.clone(),
            _ => format!(
                "{before}{}{}",
                first.map(String::from).unwrap_or_default(),
                letters.as_str()
            ),
        };
        KeyForm { required: false, about, ..self }
    }
}

/// The keys of several words, without duplicates. `before` is put before the description of the
/// first key of each word.
pub(crate) fn joined(words: impl Iterator<Item = Vec<KeyForm>>, before: &str) -> Vec<KeyForm> {
    let mut keys: Vec<KeyForm> = Vec::new();
    for (index, key) in words.flat_map(|word| word.into_iter().enumerate()) {
        if !keys.iter().any(|known| known.key == key.key) {
            keys.push(key.among_others(if index == 0 { before } else { "" }));
        }
    }
    keys
}
