//! Tables with fixed keys.

use super::{Entries, KeyForm, PlainTable, Problems};

/// A table with fixed keys, declared with [`table!`].
pub(crate) trait Table: Sized {
    /// The name of the table in the JSON Schema.
    const NAME: &'static str;
    /// The description of the table, from its doc comment.
    const ABOUT: &'static str;
    /// A phrase for the report on a value that is not such a table.
    const EXPECTED: &'static str;
    /// The keys in the order of the declaration.
    const KEYS: &'static [&'static str];

    /// Reads the keys; `None` if there is a mistake, which has been reported.
    fn take(entries: &mut Entries<'_>, problems: &mut Problems<'_>) -> Option<Self>;

    /// Writes the keys to `table`.
    fn put(&self, table: &mut PlainTable);

    /// The descriptions of the keys.
    fn keys() -> Vec<KeyForm>;
}

/// Makes a [`Table`] a value: a table with exactly these keys.
macro_rules! table_value {
    ($name:ident) => {
        impl $crate::form::Value for $name {
            fn read(
                given: &$crate::form::Given<'_>,
                problems: &mut $crate::form::Problems<'_>,
            ) -> Option<Self> {
                use $crate::form::{Entries, Table};
                let mut entries = Entries::open(given, Self::EXPECTED, problems)?;
                let table = Self::take(&mut entries, problems);
                entries.close(problems);
                table
            }

            fn write(&self) -> $crate::form::Plain {
                let mut table = $crate::form::PlainTable::default();
                $crate::form::Table::put(self, &mut table);
                $crate::form::Plain::Table(table)
            }

            fn form() -> $crate::form::Form {
                $crate::form::Form::Table($crate::form::TableForm {
                    name: <Self as $crate::form::Table>::NAME,
                    about: <Self as $crate::form::Table>::ABOUT,
                    keys: <Self as $crate::form::Table>::keys(),
                })
            }
        }
    };
}

/// The keys of two tables, `N` together, for a table that consists of both.
pub(crate) const fn keys_of_both<const N: usize>(
    first: &[&'static str],
    second: &[&'static str],
) -> [&'static str; N] {
    let mut keys = [""; N];
    let mut at = 0;
    while at < N {
        keys[at] = if at < first.len() { first[at] } else { second[at - first.len()] };
        at += 1;
    }
    keys
}

/// Declares a table: a struct with a field for each key. The doc comments become the descriptions
/// in the JSON Schema and the reference. The string after the name completes "expected …" in the
/// report on a value that is not such a table.
macro_rules! table {
    ($(#[doc = $about:literal])+ $(#[derive($derive:ident)])?
     $vis:vis struct $name:ident, $expected:literal {
        $($(#[doc = $doc:literal])+ $field_vis:vis $field:ident: $type:ty,)*
    }) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone $(, $derive)?)]
        $vis struct $name {
            $($(#[doc = $doc])+ $field_vis $field: $type,)*
        }

        impl $crate::form::Table for $name {
            const NAME: &'static str = stringify!($name);
            const ABOUT: &'static str = concat!($($about),+);
            const EXPECTED: &'static str = $expected;
            const KEYS: &'static [&'static str] = &[$(stringify!($field)),*];

            fn take(
                entries: &mut $crate::form::Entries<'_>,
                problems: &mut $crate::form::Problems<'_>,
            ) -> Option<Self> {
                // All keys are read even after a mistake, so that every mistake is reported.
                $(let $field = entries.take::<$type>(stringify!($field), problems);)*
                Some($name { $($field: $field?,)* })
            }

            fn put(&self, table: &mut $crate::form::PlainTable) {
                $(table.put(stringify!($field), $crate::form::Slot::content(&self.$field));)*
            }

            fn keys() -> Vec<$crate::form::KeyForm> {
                vec![$($crate::form::KeyForm {
                    key: stringify!($field),
                    about: concat!($($doc),+).trim().to_owned(),
                    required: <$type as $crate::form::Slot>::REQUIRED,
                    form: <$type as $crate::form::Slot>::accepts(),
                },)*]
            }
        }

        $crate::form::table_value!($name);
    };
}

pub(crate) use table;
pub(crate) use table_value;
