//! Tables without the keys that have their default.

use sansim_array::FaultRule;
use toml::de::DeValue;

use crate::{
    StepAction,
    check::Checker,
    fault::Fault,
    form::{Flag, Plain, PlainTable, Problems, Value},
    inline,
    source::Sources,
    step::{self, StepTable},
    value::At,
};

/// Drops every key without which the table still means the same, in the tables within, too; and
/// writes a list of one table as the table, where that is the same. `same` says whether a table
/// does.
pub(crate) fn shortened(
    table: &PlainTable,
    same: &mut dyn FnMut(&PlainTable) -> bool,
) -> PlainTable {
    let mut table = table.clone();
    let mut index = 0;
    while index < table.0.len() {
        let mut without = table.clone();
        without.0.remove(index);
        if same(&without) {
            table = without;
            continue;
        }
        let before = table.clone();
        let mut with = |item: Plain| {
            let mut other = before.clone();
            other.0[index].1 = item;
            same(&other)
        };
        table.0[index].1 = item(&before.0[index].1, &mut with);
        index += 1;
    }
    table
}

fn item(item: &Plain, same: &mut dyn FnMut(Plain) -> bool) -> Plain {
    match item {
        Plain::Table(table) => {
            Plain::Table(shortened(table, &mut |table| same(Plain::Table(table.clone()))))
        }
        Plain::List(items) => {
            let mut items = items.clone();
            for index in 0..items.len() {
                let before = items.clone();
                items[index] = self::item(&before[index], &mut |item| {
                    let mut other = before.clone();
                    other[index] = item;
                    same(Plain::List(other))
                });
            }
            match &items[..] {
                [one @ Plain::Table(_)] if same(one.clone()) => one.clone(),
                _ => Plain::List(items),
            }
        }
        item => item.clone(),
    }
}

/// The word of a step, with its keys.
pub(crate) fn step(action: &StepAction) -> PlainTable {
    let table = StepTable::word(action);
    let same = |other: &PlainTable| {
        let read = |step: &At<StepTable>, checker: &mut Checker<'_>| step.action(checker);
        is_as_clear(&table, other) && understood(other, read).flatten().as_ref() == Some(action)
    };
    shortened(&table, &mut { same })
}

/// A fault rule without its name.
pub(crate) fn fault(rule: &FaultRule) -> PlainTable {
    let Plain::Table(mut table) = Fault::of(rule, false).write() else {
        return PlainTable::default();
    };
    table.0.retain(|(key, _)| key != "name");
    let then = |table: &PlainTable| match table.0.iter().find(|(key, _)| key == "then") {
        Some((_, Plain::Table(then))) => then.clone(),
        _ => PlainTable::default(),
    };
    let same = |other: &PlainTable| {
        let read = |fault: &At<Fault>, checker: &mut Checker<'_>| {
            fault.rule(rule.name.to_string(), checker)
        };
        is_as_clear(&then(&table), &then(other)) && understood(other, read).as_ref() == Some(rule)
    };
    shortened(&table, &mut { same })
}

/// Whether a key that has a word of its own, such as that a link goes down, is still told.
fn is_as_clear(table: &PlainTable, other: &PlainTable) -> bool {
    table.0.iter().all(|(word, item)| {
        let flags = step::spoken(word).map_or(&[][..], |(_, spoken)| spoken.flags);
        let has = |item: &Plain, flag: &Flag| match item {
            Plain::Table(table) => table.0.iter().any(|(key, _)| key == flag.key),
            _ => false,
        };
        let there = other.0.iter().find(|(name, _)| name == word).map(|(_, item)| item);
        flags.iter().all(|flag| !has(item, flag) || there.is_some_and(|item| has(item, flag)))
    })
}

/// What a table means, whichever SAN it is for; `None` if it cannot be read.
fn understood<T: Value, R>(
    table: &PlainTable,
    check: impl FnOnce(&At<T>, &mut Checker<'_>) -> R,
) -> Option<R> {
    let text = format!("{{ {} }}", inline::keys(table));
    let given = DeValue::parse(&text).ok()?;
    let sources = Sources::new("", &text, &[], None);
    let mut problems = Problems::new(&sources);
    let table = At::<T>::read(&given, &mut problems)?;
    Some(check(&table, &mut Checker::of_any_san(problems)))
}
