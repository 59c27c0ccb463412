//! Values that are one of a fixed set of words.

/// Declares a choice of words as an enum with a variant for each word. `for Target` adds
/// conversions from and to an enum with variants of the same names.
macro_rules! words {
    ($(#[doc = $about:literal])+ $vis:vis enum $name:ident for $target:ty {
        $($(#[doc = $doc:literal])+ $variant:ident = $word:literal,)*
    }) => {
        $crate::form::words! {
            $(#[doc = $about])+ $vis enum $name { $($(#[doc = $doc])+ $variant = $word,)* }
        }

        impl From<$name> for $target {
            fn from(word: $name) -> Self {
                match word {
                    $($name::$variant => <$target>::$variant,)*
                }
            }
        }

        impl From<$target> for $name {
            fn from(value: $target) -> Self {
                match value {
                    $(<$target>::$variant => $name::$variant,)*
                }
            }
        }
    };

    ($(#[doc = $about:literal])+ $vis:vis enum $name:ident {
        $($(#[doc = $doc:literal])+ $variant:ident = $word:literal,)*
    }) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        $vis enum $name {
            $($(#[doc = $doc])+ $variant,)*
        }

        impl $name {
            /// Each word with its variant.
            const WORDS: &'static [(&'static str, $name)] = &[$(($word, $name::$variant),)*];

            /// The word for this variant.
            pub(crate) fn word(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)*
                }
            }
        }

        impl $crate::form::Value for $name {
            fn read(
                given: &$crate::form::Given<'_>,
                problems: &mut $crate::form::Problems<'_>,
            ) -> Option<Self> {
                let text = <String as $crate::form::Value>::read(given, problems)?;
                let known = Self::WORDS.iter().find(|(word, _)| *word == text);
                if known.is_none() {
                    let accepted: Vec<&str> = Self::WORDS.iter().map(|(word, _)| *word).collect();
                    let help = $crate::near::help(&text, &accepted);
                    problems.refuse(&given.span(), format!("{text:?} is not accepted here"), help);
                }
                known.map(|(_, value)| *value)
            }

            fn write(&self) -> $crate::form::Plain {
                $crate::form::Plain::Text(self.word().to_owned())
            }

            fn form() -> $crate::form::Form {
                $crate::form::Form::Words {
                    name: stringify!($name),
                    about: concat!($($about),+),
                    words: vec![$($crate::form::WordForm {
                        word: $word,
                        about: concat!($($doc),+),
                    },)*],
                }
            }
        }
    };
}

pub(crate) use words;
