//! A scenario as people write it: tables one after the other, what is in them on one line each.

use crate::{
    Scenario,
    file::resolved,
    form::{Plain, PlainTable},
    inline, load_text, resolved_toml,
    short::shortened,
};

/// The scenario as a TOML file with only the keys that do not have their default. Loading it again
/// gives the same scenario. It takes as long as loading the scenario some hundred times.
pub fn short_toml(scenario: &Scenario) -> String {
    let wanted = resolved_toml(scenario);
    let mut same = |table: &PlainTable| {
        load_text("", &document(table), &[]).is_ok_and(|again| resolved_toml(&again) == wanted)
    };
    document(&shortened(&resolved(scenario), &mut same))
}

/// A file with these tables.
fn document(root: &PlainTable) -> String {
    let mut text = String::new();
    let (tables, values): (Vec<_>, Vec<_>) =
        root.0.iter().partition(|(_, item)| !tables_of(item).is_empty());
    lines(values.into_iter(), &mut text);
    for (name, item) in tables {
        let header = match item {
            Plain::List(_) => format!("[[{name}]]\n"),
            _ => format!("[{name}]\n"),
        };
        for table in tables_of(item) {
            text.push('\n');
            text.push_str(&header);
            lines(table.0.iter(), &mut text);
        }
    }
    text
}

/// The tables that get a header.
fn tables_of(item: &Plain) -> Vec<&PlainTable> {
    match item {
        Plain::Table(table) => vec![table],
        Plain::List(items) => items.iter().flat_map(tables_of).collect(),
        _ => Vec::new(),
    }
}

fn lines<'t>(entries: impl Iterator<Item = &'t (String, Plain)>, text: &mut String) {
    for (name, item) in entries {
        let item = match item {
            Plain::Text(lines) if lines.contains('\n') => several_lines(lines),
            item => inline::value(item),
        };
        text.push_str(&format!("{} = {item}\n", inline::key(name)));
    }
}

/// A string of several lines.
fn several_lines(text: &str) -> String {
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return inline::value(&Plain::Text(text.to_owned()));
    }
    format!("\"\"\"\n{}\"\"\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
