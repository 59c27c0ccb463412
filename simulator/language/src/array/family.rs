//! `personality`: the families of arrays and their tables of settings. Every family has its own
//! file.

use std::{fmt, ops::Range, sync::Arc};

use sansim_array::PersonalityConfig;

use super::{alua::Alua, emc::Emc, hp_sw::HpSw, hw_handler::HwHandler, rdac::Rdac};
use crate::{
    check::Checker,
    form::{
        Entries, Form, Given, KeyForm, Plain, PlainTable, Problems, Table, Value, WordForm, joined,
    },
    near,
};

/// A family of arrays: a table with a single key, which has the name of the family and holds its
/// settings.
pub(super) trait Family: Table + fmt::Debug + Send + Sync + 'static {
    /// The value of `personality`, and the name of the family's table in `[array]`.
    const NAME: &'static str;
    /// One sentence for the reference: which arrays belong to the family.
    const ABOUT: &'static str;
    /// Validates the settings and converts them to the configuration of the array.
    fn check(&self, checker: &mut Checker<'_>) -> PersonalityConfig;

    /// The table that would be read as `personality`; `None` if that is of another family.
    fn of(personality: &PersonalityConfig) -> Option<Self>;
}

/// Type-erased [`Family`] table.
pub(super) trait Written: fmt::Debug + Send + Sync {
    fn put(&self, table: &mut PlainTable);
    fn check(&self, checker: &mut Checker<'_>) -> PersonalityConfig;
}

impl<T: Family> Written for T {
    fn put(&self, table: &mut PlainTable) {
        Table::put(self, table);
    }

    fn check(&self, checker: &mut Checker<'_>) -> PersonalityConfig {
        Family::check(self, checker)
    }
}

/// The entry of a family in [`FAMILIES`].
pub(super) struct Entry {
    name: &'static str,
    about: &'static str,
    forms: fn() -> Vec<KeyForm>,
    read: fn(&mut Entries<'_>, &mut Problems<'_>) -> Option<Arc<dyn Written>>,
    of: fn(&PersonalityConfig) -> Option<Arc<dyn Written>>,
}

const fn entry<T: Family>() -> Entry {
    Entry {
        name: <T as Family>::NAME,
        about: <T as Family>::ABOUT,
        forms: T::keys,
        read: |entries, problems| {
            T::take(entries, problems).map(|table| Arc::new(table) as Arc<dyn Written>)
        },
        of: |personality| T::of(personality).map(|table| Arc::new(table) as Arc<dyn Written>),
    }
}

/// All families, in the order of the reference.
static FAMILIES: [Entry; 5] =
    [entry::<Rdac>(), entry::<Emc>(), entry::<HpSw>(), entry::<HwHandler>(), entry::<Alua>()];

/// The value of `personality`.
#[derive(Clone, Copy)]
pub(super) struct FamilyName(pub(super) &'static Entry);

impl fmt::Debug for FamilyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

impl Value for FamilyName {
    fn read(given: &Given<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let name = String::read(given, problems)?;
        let known = FAMILIES.iter().find(|family| family.name == name);
        if known.is_none() {
            let accepted: Vec<_> = FAMILIES.iter().map(|family| family.name).collect();
            let help = near::help(&name, &accepted);
            problems.refuse(&given.span(), format!("{name:?} is not accepted here"), help);
        }
        known.map(FamilyName)
    }

    fn write(&self) -> Plain {
        Plain::Text(self.0.name.to_owned())
    }

    fn form() -> Form {
        let words = FAMILIES.iter();
        let words = words.map(|family| WordForm { word: family.name, about: family.about });
        Form::Words {
            name: "PersonalityName",
            about: "A family of arrays.",
            words: words.collect(),
        }
    }
}

/// The family tables in `[array]`. Only the one of the array's own family is allowed.
#[derive(Debug, Clone)]
pub(super) struct FamilyTables {
    own: Option<Arc<dyn Written>>,
    place: Range<usize>,
}

impl FamilyTables {
    /// Reads the table of the array's family. Tables of other families are reported, as they would
    /// have no effect.
    pub(super) fn take(
        family: Option<&FamilyName>,
        entries: &mut Entries<'_>,
        problems: &mut Problems<'_>,
    ) -> Option<Self> {
        let mut tables = Some(FamilyTables { own: None, place: 0..0 });
        for other in &FAMILIES {
            let place = entries.place(other.name);
            let table = (other.read)(entries, problems);
            match (family, place) {
                (Some(FamilyName(own)), Some(span)) if own.name != other.name => {
                    let problem = format!("this array is of personality \"{}\"", own.name);
                    let help = format!("remove it, or write personality = \"{}\"", other.name);
                    problems.refuse(&span, problem, help);
                }
                (Some(FamilyName(own)), place) if own.name == other.name => {
                    let place = place.unwrap_or_default();
                    tables = table.map(|table| FamilyTables { own: Some(table), place });
                }
                _ => {}
            }
        }
        tables
    }

    /// The position of the family's table in the file.
    pub(super) fn place(&self) -> Range<usize> {
        self.place.clone()
    }

    /// The validated settings of the array's family.
    pub(super) fn check(&self, checker: &mut Checker<'_>) -> Option<PersonalityConfig> {
        self.own.as_ref().map(|table| table.check(checker))
    }

    /// Writes the table of the array's family to `table`.
    pub(super) fn put(&self, table: &mut PlainTable) {
        self.own.iter().for_each(|own| own.put(table));
    }

    /// The name and the table that would be read as `personality`.
    pub(super) fn of(personality: &PersonalityConfig) -> Option<(FamilyName, Self)> {
        FAMILIES.iter().find_map(|family| {
            let own = Some((family.of)(personality)?);
            Some((FamilyName(family), FamilyTables { own, place: 0..0 }))
        })
    }

    /// The keys of all families, for the schema and the reference.
    pub(super) fn keys() -> Vec<KeyForm> {
        joined(FAMILIES.iter().map(|family| (family.forms)()), "")
    }
}
