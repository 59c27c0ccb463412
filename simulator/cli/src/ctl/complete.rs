//! Completion of what only a running lab knows: names of labs, of fault rules, and steps.

use std::{env, ffi::OsStr, time::Duration};

use clap_complete::CompletionCandidate;
use sansim_live::{client::Client, place::Place};

/// How long a shell may wait for a lab.
const AT_MOST: Duration = Duration::from_secs(1);

/// The labs that are running.
pub(super) fn labs() -> Vec<CompletionCandidate> {
    let labs = Place::labs().unwrap_or_default().into_iter();
    labs.map(|lab| {
        let title = lab.about.map(|about| about.title.into());
        CompletionCandidate::new(lab.name).help(title)
    })
    .collect()
}

/// The fault rules that can be removed.
pub(super) fn faults() -> Vec<CompletionCandidate> {
    let status = ask(async |lab: Client| lab.status().await.ok());
    let added = status.into_iter().flat_map(|status| status.faults).filter(|fault| fault.added);
    added.map(|fault| CompletionCandidate::new(fault.name).help(Some(fault.toml.into()))).collect()
}

/// The words that the lab understands here.
pub(super) fn words(current: &OsStr) -> Vec<CompletionCandidate> {
    let current = current.to_string_lossy().into_owned();
    let Some(mut words) = Line::read().spoken() else {
        let begins = ["when", "then"].into_iter().filter(|word| word.starts_with(&current));
        return begins.map(CompletionCandidate::new).collect();
    };
    words.push(current);
    let candidates = ask(async |lab: Client| lab.complete(words).await.ok());
    let fitting = candidates.unwrap_or_default().into_iter();
    fitting
        .map(|candidate| {
            CompletionCandidate::new(candidate.value).help(Some(candidate.help.into()))
        })
        .collect()
}

/// Asks the lab of the command line. A shell must not be kept waiting, nor be told of errors.
fn ask<A>(question: impl AsyncFnOnce(Client) -> Option<A>) -> Option<A> {
    let lab = Place::find(Line::read().lab.as_deref()).ok()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let answer = async {
        tokio::time::timeout(AT_MOST, question(Client::new(lab.socket))).await.ok().flatten()
    };
    runtime.block_on(answer)
}

/// The command line that is to be completed, as far as the cursor.
#[derive(Debug, Default, PartialEq, Eq)]
struct Line {
    lab: Option<String>,
    /// The words after `ctl`, without options.
    words: Vec<String>,
}

impl Line {
    /// From the arguments and the environment that clap's script for the shell passes.
    fn read() -> Line {
        let all = env::args_os().map(|word| word.to_string_lossy().into_owned());
        let all: Vec<_> = all.skip_while(|word| word != "--").skip(1).collect();
        let cursor = env::var("_CLAP_COMPLETE_INDEX").ok().and_then(|text| text.parse().ok());
        let cursor = cursor.unwrap_or(all.len().saturating_sub(1)).min(all.len());
        Line::of(&all[..cursor])
    }

    /// The words as the lab completes them: an expectation, a fault rule and a workload begin with
    /// words of their own. `None` where a fault rule begins.
    fn spoken(self) -> Option<Vec<String>> {
        let words: Vec<_> = self.words.iter().map(String::as_str).collect();
        let (begin, rest) = match &words[..] {
            ["wait", rest @ ..] => ("expect", rest),
            ["io", "start", rest @ ..] => ("start", rest),
            ["fault", "add"] => return None,
            ["fault", "add", first, rest @ ..] => (*first, rest),
            _ => return Some(self.words),
        };
        Some([&[begin], rest].concat().into_iter().map(str::to_owned).collect())
    }

    fn of(before: &[String]) -> Line {
        let mut line = Line::default();
        let mut words = before.iter().skip_while(|word| *word != "ctl").skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                "--lab" => line.lab = words.next().cloned(),
                "--for" | "--color" => drop(words.next()),
                option if option.starts_with("--") => {
                    line.lab = option.strip_prefix("--lab=").map(str::to_owned).or(line.lab);
                }
                _ => line.words.push(word.clone()),
            }
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_after_ctl_are_those_without_options() {
        let line = |text: &str| Line::of(&text.split(' ').map(str::to_owned).collect::<Vec<_>>());
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        let expected = Line { lab: Some("a".to_owned()), words: words(&["fail", "controller"]) };
        assert_eq!(line("sansim ctl --lab a fail controller"), expected);
        assert_eq!(line("sansim --color never ctl fail --lab=a controller --json"), expected);
        assert_eq!(line("sansim ctl wait --for 3s owner").words, words(&["wait", "owner"]));
        assert_eq!(line("sansim"), Line::default());
        let spoken = |text: &str| line(text).spoken();
        assert_eq!(spoken("sansim ctl fail"), Some(words(&["fail"])));
        assert_eq!(spoken("sansim ctl wait owner"), Some(words(&["expect", "owner"])));
        assert_eq!(spoken("sansim ctl io start lun"), Some(words(&["start", "lun"])));
        assert_eq!(spoken("sansim ctl fault add when op"), Some(words(&["when", "op"])));
    }
}
