//! The spoken form: steps, faults and expectations as command-line arguments, both ways.
//!
//! The arguments are the words of the language, so `fail controller A` is the step
//! `fail = "controller A"`. The keys of a table are `key=value`, `key value`, or the value alone
//! where only one key accepts it; a key within a table within a table has a dot. What is accepted
//! follows from the declarations of the words.

mod arguments;
mod complete;
mod hear;
mod say;
mod scalar;
#[cfg(test)]
mod tests;

pub use arguments::{quoted, split};
pub use complete::{Candidate, complete};
use hear::{one, several};
use sansim_array::FaultRule;

use crate::{
    Diagnostic, Diagnostics, Step, expect,
    fault::{Fault, words},
    form::{Form, KeyForm, Plain, PlainTable, Table, TableForm},
    inline, near, short, step,
    workload::WorkloadTable,
};

/// The step that the arguments of a command line stand for, as TOML on one line, which
/// [`Vocabulary::step`](crate::Vocabulary::step) reads: `["fail", "controller", "A"]` is
/// `fail = "controller A"`.
///
/// # Errors
/// If the arguments are no step. Whether their values are right is not checked.
pub fn step(words: &[String]) -> Result<String, Diagnostics> {
    let Some(first) = words.first() else {
        return Err(Diagnostic::error("no step is given").help(near::help("", &actions())).into());
    };
    let name = first.split(['=', '.']).next().unwrap_or_default().replace('-', "_");
    let Some((keys, spoken)) = step::spoken(&name) else {
        let problem = format!("there is no step `{name}`");
        return Err(Diagnostic::error(problem).help(near::help(&name, &actions())).into());
    };
    Ok(inline::keys(&one(&keys, &step::head(), spoken, words)?))
}

/// The fault rule that the arguments of a command line stand for, as TOML on one line, which
/// [`Vocabulary::fault`](crate::Vocabulary::fault) reads: `when op=READ then delay=1s`.
///
/// # Errors
/// If the arguments are no fault rule. Whether their values are right is not checked.
pub fn fault(words: &[String]) -> Result<String, Diagnostics> {
    let keys = Fault::keys();
    let (when, then) = (table_of(&keys, "when"), table_of(&keys, "then"));
    let Some(split) = words.iter().position(|word| word == "then") else {
        let help = "say for instance: when op=READ then delay=1s";
        return Err(Diagnostic::error("`then` is missing").help(help).into());
    };
    let (before, after) = (&words[..split], &words[split + 1..]);
    let before: Vec<_> = before.iter().filter(|word| *word != "when").cloned().collect();
    let scalars = keys.into_iter().filter(|key| !matches!(key.form, Form::Table(_)));
    let head: Vec<_> = scalars.collect();
    let all = [head.clone(), when].concat();
    let said = several(&all, &before)?.0.into_iter();
    let (of_rule, of_when) = said.partition(|(key, _)| head.iter().any(|it| it.key == *key));
    let mut rule = PlainTable(of_rule);
    let of_when = PlainTable(of_when);
    rule.put("when", (!of_when.0.is_empty()).then_some(Plain::Table(of_when)));
    rule.put("then", Some(Plain::Table(several(&then, after)?)));
    Ok(inline::keys(&rule))
}

/// The expectation that the arguments of a command line stand for, as TOML on one line, which
/// [`Vocabulary::expectation`](crate::Vocabulary::expectation) reads: `owner lun=0 controller=B and
/// paths active=4`. Conditions are separated by `and` or `;`.
///
/// # Errors
/// If the arguments are no expectation. Whether their values are right is not checked.
pub fn expectation(words: &[String]) -> Result<String, Diagnostics> {
    Ok(inline::keys(&several(&expect::keys(), words)?))
}

/// The workload that the arguments of a command line stand for, as TOML on one line, which
/// [`Vocabulary::workload`](crate::Vocabulary::workload) reads: `lun=1 rate=500`.
///
/// # Errors
/// If the arguments are no workload. Whether their values are right is not checked.
pub fn workload(words: &[String]) -> Result<String, Diagnostics> {
    Ok(inline::keys(&several(&WorkloadTable::keys(), words)?))
}

/// The arguments that stand for a step, without its name, caption and time, quoted for a shell.
/// Keys that have their default are left out.
pub fn of_step(step: &Step) -> String {
    let table = short::step(&step.action);
    let name = table.0.first().map_or("", |(key, _)| key.as_str());
    let Some((keys, spoken)) = step::spoken(name) else { return String::new() };
    arguments::line(&say::one(&keys, spoken, &table))
}

/// The arguments that stand for a fault rule, quoted for a shell. Keys that have their default are
/// left out.
pub fn of_fault(rule: &FaultRule) -> String {
    let keys = Fault::keys();
    let (mut head, mut words) = (vec![format!("name={}", rule.name)], Vec::new());
    for (key, item) in short::fault(rule).0 {
        match item {
            Plain::Table(table) => {
                words.push(key.clone());
                words.extend(say::several(&table_of(&keys, &key), &table));
            }
            item => head.push(format!("{key}={}", scalar::text(&item))),
        }
    }
    arguments::line(&[head, words].concat())
}

/// A step as TOML on one line, without its name, caption and time. Keys that have their default are
/// left out.
pub fn step_toml(step: &Step) -> String {
    inline::keys(&short::step(&step.action))
}

/// A fault rule as TOML on one line, without its name. Keys that have their default are left out.
pub fn fault_toml(rule: &FaultRule) -> String {
    inline::keys(&short::fault(rule))
}

/// A fault rule in words, without its name: `the first 2 MODE SELECT to controller B: sense
/// 06/2a/01`.
pub fn fault_words(rule: &FaultRule) -> String {
    words(rule)
}

/// The names of the actions.
fn actions() -> Vec<&'static str> {
    step::actions().filter_map(|(keys, _)| keys.first().map(|key| key.key)).collect()
}

/// The keys of the table that is the value of `key`.
fn table_of(keys: &[KeyForm], key: &str) -> Vec<KeyForm> {
    let form = keys.iter().find(|it| it.key == key).map(|it| &it.form);
    form.and_then(table_in).map_or(Vec::new(), |table| table.keys.clone())
}

/// The table that a value can be: itself, or one of several of its kind.
fn table_in(form: &Form) -> Option<&TableForm> {
    match form {
        Form::Table(table) => Some(table),
        Form::Either(forms) => forms.iter().find_map(table_in),
        _ => None,
    }
}

/// The tables that a value can be.
fn tables_in(form: &Form) -> Vec<&TableForm> {
    match form {
        Form::Table(table) => vec![table],
        Form::Either(forms) => forms.iter().flat_map(tables_in).collect(),
        _ => Vec::new(),
    }
}

/// Whether a value can be a list of tables.
fn is_list_of_tables(form: &Form) -> bool {
    match form {
        Form::List(item) => matches!(**item, Form::Table(_)),
        Form::Either(forms) => forms.iter().any(is_list_of_tables),
        _ => false,
    }
}
