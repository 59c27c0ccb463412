//! What a lab has said, for people and for programs.

use std::io::{Write, stdout};

use console::style;
use sansim_live::{
    api::{Added, Did, Expected, Ran},
    client::Client,
};
use serde_json::json;

use super::{NOT_MET, failed::Failed, print, print_json};
use crate::{LAB, PASS};

/// Prints the acts that were done; the exit code is 1 if one of them failed.
pub(super) fn acts(did: Vec<Did>, json: bool) -> Result<u8, Failed> {
    if json {
        print_json(&json!({ "did": did }))?;
    } else {
        for did in &did {
            warn(did.warning.as_deref());
            print(&act(did))?;
        }
    }
    let failed = did.iter().any(|did| did.error.is_some());
    Ok(if failed { NOT_MET } else { PASS })
}

/// Prints the name of a fault rule that was added.
pub(super) fn added(added: &Added, json: bool) -> Result<u8, Failed> {
    if json {
        return print_json(added);
    }
    warn(added.warning.as_deref());
    let waits =
        if added.waits { format!("  {}", style("(waits)").yellow()) } else { String::new() };
    print(&format!("{}{waits}\n", added.name))
}

/// Prints what is probably not as intended.
fn warn(warning: Option<&str>) {
    if let Some(warning) = warning {
        errln!("{warning}");
    }
}

/// An act on a line, and what its program has printed.
pub(super) fn act(did: &Did) -> String {
    let end = match (&did.error, did.pending) {
        (Some(error), _) => format!("  {}", style(error).red()),
        (None, true) => format!("  {}", style("(waits)").yellow()),
        (None, false) => String::new(),
    };
    let mut text = format!("{}  {}{end}\n", style(format!("{:>9.3}s", did.t)).dim(), did.words);
    if let Some(ran) = &did.ran {
        text.push_str(&ran.stdout);
        text.push_str(&ran.stderr);
    }
    text
}

/// Prints whether an expectation was met; the exit code is 1 if not.
pub(super) fn expected(expected: &Expected, json: bool) -> Result<u8, Failed> {
    let Expected { text, ok, seen, t } = expected;
    if json {
        print_json(expected)?;
    } else {
        let (verdict, seen) = match ok {
            true => (style("met").green(), String::new()),
            false => (style("not met").red().bold(), format!(": {seen}")),
        };
        print(&format!("{}  {verdict}  {text}{seen}\n", style(format!("{t:>9.3}s")).dim()))?;
    }
    Ok(if *ok { PASS } else { NOT_MET })
}

/// Prints what a program has printed; the exit code is the program's.
pub(super) fn ran(ran: &Ran, json: bool) -> Result<u8, Failed> {
    if json {
        print_json(ran)?;
    } else {
        print(&ran.stdout)?;
        err!("{}", ran.stderr);
    }
    match (ran.code, &ran.killed_by) {
        (Some(code), _) => Ok(exit_code(code)),
        (None, Some(by)) => Err(Failed(LAB, format!("the program was killed by {by}"))),
        (None, None) => Err(Failed(LAB, "the program was killed".to_owned())),
    }
}

/// The exit code of a program in the guest, as ours.
pub(super) fn exit_code(code: i32) -> u8 {
    u8::try_from(code).unwrap_or(u8::MAX)
}

/// Prints the state, and then events, a line of JSON each. Every line has a `kind`.
pub(super) async fn events(lab: &Client, follow: bool) -> Result<u8, Failed> {
    let mut follower = lab.follow("events").await?;
    let mut begun = false;
    while let Some(told) = follower.next().await? {
        let more = match told.name.as_str() {
            "event" => line(&told.data),
            "status" if begun => true,
            kind => line(&with_kind(kind, &told.data)),
        };
        begun = true;
        if !more || !follow {
            break;
        }
    }
    Ok(PASS)
}

/// A message as a line among events.
fn with_kind(kind: &str, object: &str) -> String {
    format!("{{\"kind\":\"{kind}\",{}", object.trim_start_matches('{'))
}

/// Prints a line; returns whether somebody still reads.
fn line(line: &str) -> bool {
    let mut stdout = stdout().lock();
    writeln!(stdout, "{line}").and_then(|()| stdout.flush()).is_ok()
}
