//! Tables with fixed keys.

use super::{Entries, KeyForm, PlainTable, Problems};

/// A table with fixed keys, declared by [`table!`].
pub(crate) trait Table: Sized {
    /// Its name in the JSON Schema.
    const NAME: &'static str;
    /// What it is about.
    const ABOUT: &'static str;
    /// What was expected, where there is something else.
    const EXPECTED: &'static str;
    /// Its keys, in the order of the declaration.
    const KEYS: &'static [&'static str];

    /// Takes its keys; none if there is a mistake, which has been noted then.
    fn take(entries: &mut Entries<'_>, problems: &mut Problems<'_>) -> Option<Self>;

    /// Writes its keys.
    fn put(&self, table: &mut PlainTable);

    /// Describes its keys.
    fn keys() -> Vec<KeyForm>;
}

/// Declares a table: a struct with a field for each key. The doc comments are what the JSON Schema and the
/// reference say; what is expected is what a mistake is answered with.
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
                // All of them are read before the first mistake ends it.
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

pub(crate) use table;
