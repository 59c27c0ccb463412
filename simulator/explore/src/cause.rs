//! What findings of one cause have in common.

use std::collections::BTreeSet;

use sansim_language::Law;

use crate::{
    judge::Breach,
    menu::AS_WRITTEN,
    schedule::{Choice, Sort},
};

/// The details that say what something is, not where, when or how often.
const TELLING: [&str; 6] = ["kind", "op", "answer", "sense", "state", "lose"];

/// What breaches of the same cause have in common in the stories of a scenario. Another scenario has other handlers.
pub(crate) fn signature(breach: &Breach, file: &str) -> String {
    format!("{file}: {}", breach.signature)
}

/// The cause of a finding as far as its minimised schedule tells: the law, and what happens in it. Answers are
/// told apart by their sense key only, since a host treats all of one key much alike.
///
/// Bytes that are wrong come of what was last on the wire, whatever has led to that.
pub(crate) fn cause(breach: &Breach, file: &str, choices: &[Choice]) -> String {
    let law = &breach.law;
    if Law::of(law) == Some(Law::Bytes) {
        let last = breach.signature.rsplit([',', ':']).next().unwrap_or_default();
        return format!("{law} in {file} after{last}");
    }
    let happens: BTreeSet<&str> = choices
        .iter()
        .filter(|choice| choice.sort == Sort::Presence && choice.word == "on")
        .map(|choice| choice.name.as_str())
        .collect();
    let mut parts: Vec<String> = happens
        .iter()
        .map(|name| {
            let details = choices.iter().filter_map(|choice| {
                let key = choice.name.strip_prefix(name)?.strip_prefix('.')?;
                TELLING.contains(&key).then(|| key_only(&choice.word))
            });
            details.collect::<Vec<_>>().join(" ")
        })
        .collect();
    parts.extend(choices.iter().filter_map(|choice| {
        let changed = choice.sort == Sort::Setting
            && choice.word != AS_WRITTEN
            && choice.name.starts_with("set.array");
        changed.then(|| format!("{}={}", choice.name, choice.word))
    }));
    parts.sort();
    parts.dedup();
    format!("{law} in {file} by {}", parts.join(" and "))
}

/// Sense data without its additional code.
fn key_only(word: &str) -> String {
    match word.split_once('/') {
        Some((key, code)) if code.contains('/') => key.replace("sense = \"", ""),
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(name: &str, word: &str, sort: Sort) -> Choice {
        let (simpler, others) = (Vec::new(), Vec::new());
        Choice { name: name.into(), word: word.into(), simpler, others, sort }
    }

    #[test]
    fn place_time_and_codes_make_no_other_cause() {
        let story = |first: &str, sense: &str| {
            let choices = [
                choice(first, "on", Sort::Presence),
                choice(&format!("{first}.kind"), "answers", Sort::Detail),
                choice(&format!("{first}.answer"), sense, Sort::Detail),
                choice(&format!("{first}.scope"), "port = \"B0\"", Sort::Detail),
                choice(&format!("{first}.at"), "1s", Sort::Time),
            ];
            let breach = Breach {
                law: "errors".into(),
                t: 1.0,
                seen: String::new(),
                signature: String::new(),
                expect: String::new(),
                step: None,
            };
            cause(&breach, "rdac.toml", &choices)
        };
        assert_eq!(story("h1", "sense = \"06/29/00\""), story("h3", "sense = \"06/2a/01\""));
        assert_ne!(story("h1", "sense = \"06/29/00\""), story("h1", "sense = \"02/04/01\""));
        assert_eq!(
            story("h1", "status = \"busy\""),
            "errors in rdac.toml by answers status = \"busy\""
        );
    }
}
