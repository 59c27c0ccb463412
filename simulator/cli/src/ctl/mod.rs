//! `sansim ctl`: asks a lab that is running.

pub(crate) mod args;
mod complete;
mod down;
mod failed;
mod files;
mod list;
mod said;
mod shell;
mod status;
mod tree;

use std::io::{IsTerminal, Write, stdout};

use sansim_language::value::TimeSpan;
use sansim_live::{
    api::{Given, IoChange, TimeChange, TourChange},
    client::Client,
    place::Place,
};
use serde::Serialize;

pub(crate) use self::down::down;
use self::{
    args::{Ctl, CtlArgs, Fault, Io, OnOff, Time, Tour},
    failed::Failed,
};
use crate::{PASS, show};
use sansim_language::spoken::split;

/// Exit code: an expectation was not met, or a step failed.
const NOT_MET: u8 = crate::FAILED;

pub(crate) async fn ctl(args: CtlArgs) -> u8 {
    carry_out(args).await.unwrap_or_else(|failed| failed.print())
}

async fn carry_out(args: CtlArgs) -> Result<u8, Failed> {
    if let Some(Ctl::List) = args.command {
        return list::list(args.json);
    }
    let client = Client::new(Place::find(args.lab.as_deref())?.socket);
    let (lab, json) = (&client, args.json);
    match args.command {
        None => said::acts(lab.act(vec![Given::Words(args.words)]).await?, json),
        Some(Ctl::Step { steps }) => {
            said::acts(lab.act(steps.into_iter().map(Given::Toml).collect()).await?, json)
        }
        Some(Ctl::Reset) => said::acts(lab.reset().await?, json),
        Some(Ctl::Go) => said::acts(lab.go().await?, json),
        Some(Ctl::Hold) => done(lab.hold().await?),
        Some(Ctl::Status) => {
            let status = lab.status().await?;
            if json { print_json(&status) } else { print(&status::text(&status)) }
        }
        Some(Ctl::Events { follow }) => said::events(lab, follow).await,
        Some(Ctl::Wait { at_most, expectation }) => {
            said::expected(&lab.wait(given(expectation), seconds(at_most)).await?, json)
        }
        Some(Ctl::Exec { at_most, argv }) => {
            said::ran(&lab.exec(argv, seconds(at_most)).await?, json)
        }
        Some(Ctl::Shell { argv }) => shell::shell(lab, &argv).await,
        Some(Ctl::Fault { change }) => fault(lab, change, json).await,
        Some(Ctl::Io { change: Io::Start { workload } }) => {
            said::acts(lab.io(&IoChange::Start(given(workload))).await?, json)
        }
        Some(Ctl::Io { change: Io::Stop { lun } }) => {
            said::acts(lab.io(&IoChange::Stop { lun }).await?, json)
        }
        Some(Ctl::Time { change }) => {
            let t = lab.time(time(change)).await?;
            if json {
                print_json(&serde_json::json!({ "t": t }))
            } else {
                print(&format!("{t:.3}s\n"))
            }
        }
        Some(Ctl::Multipath) => {
            let output = lab.multipath().await?;
            if json { print_json(&output) } else { print(&output.text) }
        }
        Some(Ctl::Console) => print(&lab.console().await?),
        Some(Ctl::Capture { on }) => print(&format!("{}\n", lab.capture(on == OnOff::On).await?)),
        Some(Ctl::Push { local, remote }) => files::push(lab, &local, &remote).await,
        Some(Ctl::Pull { remote, local }) => files::pull(lab, &remote, &local).await,
        Some(Ctl::Save { file }) => files::save(lab, &file).await,
        Some(Ctl::Tour { change }) => done(lab.tour(tour(change)).await?),
        Some(Ctl::List) => list::list(json),
    }
}

async fn fault(lab: &Client, change: Fault, json: bool) -> Result<u8, Failed> {
    match change {
        Fault::Add { rule } => said::added(&lab.add_fault(given(rule)).await?, json),
        Fault::Remove { name } => done(lab.remove_fault(&name).await?),
        Fault::List => {
            let faults = lab.status().await?.faults;
            if json { print_json(&faults) } else { print(&status::faults(&faults)) }
        }
    }
}

/// Arguments are words. A single one is a line of words, or else TOML, which begins with a key and an
/// equals sign.
fn given(words: Vec<String>) -> Given {
    let [line] = &words[..] else { return Given::Words(words) };
    match split(line) {
        Ok(spoken) if !is_toml(&spoken) => Given::Words(spoken),
        _ => Given::Toml(line.clone()),
    }
}

fn is_toml(words: &[String]) -> bool {
    match words {
        [first, ..] if first.contains('=') => true,
        [_, second, ..] => second.starts_with('='),
        _ => false,
    }
}

fn seconds(span: TimeSpan) -> f64 {
    span.0.as_secs_f64()
}

fn time(change: Time) -> TimeChange {
    match change {
        Time::Pause => TimeChange::Pause,
        Time::Resume => TimeChange::Resume,
        Time::Skip { span } => TimeChange::Skip(seconds(span)),
        Time::ToNextEvent => TimeChange::ToNextEvent,
    }
}

fn tour(change: Tour) -> TourChange {
    match change {
        Tour::Next => TourChange::Next,
        Tour::Auto => TourChange::Auto,
        Tour::Manual => TourChange::Manual,
    }
}

/// Nothing needs to be said.
fn done((): ()) -> Result<u8, Failed> {
    Ok(PASS)
}

/// Prints text; whoever reads it may have enough of it.
fn print(text: &str) -> Result<u8, Failed> {
    match stdout().is_terminal() {
        true => out!("{text}"),
        // To a pipe or a file goes what the guest has written.
        false => {
            let mut stdout = stdout().lock();
            let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
            show::out::noted(written);
        }
    }
    Ok(PASS)
}

fn print_json(value: &impl Serialize) -> Result<u8, Failed> {
    // Everything that a lab says can be JSON.
    print(&format!("{}\n", serde_json::to_string_pretty(value).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_argument_is_toml_or_a_line_of_words() {
        let one = |text: &str| given(vec![text.to_owned()]);
        let words =
            |words: &[&str]| Given::Words(words.iter().map(|it| (*it).to_owned()).collect());
        for toml in ["when = { op = \"READ\" }", "rate=200", "owner={ lun = 0 }", "x = \"a b"] {
            assert_eq!(one(toml), Given::Toml(toml.to_owned()));
        }
        let spoken = one("when op=\"MODE SELECT\" then sense=06/2a/01");
        assert_eq!(spoken, words(&["when", "op=MODE SELECT", "then", "sense=06/2a/01"]));
        assert_eq!(one("paths active=4"), words(&["paths", "active=4"]));
        assert_eq!(given(vec!["a".to_owned(), "b=1".to_owned()]), words(&["a", "b=1"]));
    }
}
