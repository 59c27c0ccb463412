//! A description of what is accepted: the source of the JSON Schema and of the reference.

/// What is accepted as a value.
#[derive(Debug, Clone)]
pub(crate) enum Form {
    /// `true` or `false`.
    Boolean,
    /// A whole number that is not negative.
    Whole,
    /// Any number.
    Number,
    /// Any string.
    Text,
    /// A string of a kind.
    Pattern {
        /// The kind's name.
        name: &'static str,
        /// What is accepted, as it follows "expected".
        expected: &'static str,
        /// The same as a regular expression.
        pattern: String,
    },
    /// One of several words.
    Words {
        /// The name of the choice.
        name: &'static str,
        /// What is chosen.
        about: &'static str,
        /// What there is to choose from.
        words: Vec<WordForm>,
    },
    /// A table.
    Table(TableForm),
    /// A list.
    List(Box<Form>),
    /// A table whose keys are names of the user's.
    Map(Box<Form>),
    /// One of several forms.
    Either(Vec<Form>),
}

/// A word that is accepted.
#[derive(Debug, Clone)]
pub(crate) struct WordForm {
    /// The word.
    pub(crate) word: &'static str,
    /// What it means.
    pub(crate) about: &'static str,
}

/// A table.
#[derive(Debug, Clone)]
pub(crate) struct TableForm {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it is about.
    pub(crate) about: &'static str,
    /// Its keys.
    pub(crate) keys: Vec<KeyForm>,
}

/// A key of a table.
#[derive(Debug, Clone)]
pub(crate) struct KeyForm {
    /// The key.
    pub(crate) key: &'static str,
    /// What it says.
    pub(crate) about: String,
    /// Whether it must be there.
    pub(crate) required: bool,
    /// What is accepted.
    pub(crate) form: Form,
}

impl TableForm {
    /// What people call it.
    pub(crate) fn title(&self) -> &'static str {
        self.name.strip_suffix("Table").unwrap_or(self.name)
    }
}

impl KeyForm {
    /// The key of a word that goes with others: it need not be there, and `before` introduces what it says.
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

/// The keys of several words, each once. What the first key of a word says is introduced by `before`.
pub(crate) fn joined(words: impl Iterator<Item = Vec<KeyForm>>, before: &str) -> Vec<KeyForm> {
    let mut keys: Vec<KeyForm> = Vec::new();
    for (index, key) in words.flat_map(|word| word.into_iter().enumerate()) {
        if !keys.iter().any(|known| known.key == key.key) {
            keys.push(key.among_others(if index == 0 { before } else { "" }));
        }
    }
    keys
}
