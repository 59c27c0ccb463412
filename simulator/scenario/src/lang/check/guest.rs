//! `[guest]`.

use std::{collections::BTreeMap, ops::RangeInclusive, time::Duration};

use regex::Regex;

use sansim_array::PersonalityConfig;

use super::{context::Checker, manager};

use crate::lang::{
    Diagnostic,
    file::{self, GroupsName, SelectorName},
    plan::{Guest, Multipath, PathGroups, Selector, TextMatch},
    value::At,
};

const MIB: u64 = 1 << 20;
const MEMORY: RangeInclusive<u64> = 128 * MIB..=64 * 1024 * MIB;
/// mpath:parse_features.
const MAX_DELAY: Duration = Duration::from_secs(60);
/// Handlers whose module has no `set_params`: with arguments the table does not load
/// (mpath:setup_scsi_dh).
const WITHOUT_ARGUMENTS: [&str; 2] = ["rdac", "hp_sw"];

pub(super) fn resolve(
    scenario: &str,
    guest: &file::Guest,
    personality: &PersonalityConfig,
    checker: &mut Checker<'_>,
) -> Guest {
    let image = word(guest.image.as_ref(), "bookworm", "an image", checker);
    let manager = manager::resolve(scenario, guest, checker);
    let handler = word(guest.handler.as_ref(), personality.handler(), "a handler", checker);
    let handler = (handler != "none").then_some(handler);
    let modules = guest.modules.iter();
    let modules = modules.map(|module| word(Some(module), "", "a module", checker)).collect();
    Guest {
        image,
        manager,
        memory: memory(guest, checker),
        cpus: checker.number(guest.cpus.as_ref(), 1..=32, 1, "the number of processors") as u8,
        modules,
        load_handler: guest.load_handler.unwrap_or(true),
        parameters: parameters(&guest.parameters, checker),
        multipath: multipath(&guest.multipath, handler.as_deref(), checker),
        handler,
        allow: guest.allow.iter().filter_map(|pattern| regex(pattern, checker)).collect(),
    }
}

/// A name that becomes part of a path or a command in the guest.
fn word(
    given: Option<&At<String>>,
    default: &str,
    what: &str,
    checker: &mut Checker<'_>,
) -> String {
    let Some(given) = given else { return default.to_owned() };
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if given.is_empty()
        || given.len() > 64
        || given.starts_with(['.', '-'])
        || !given.chars().all(fits)
    {
        let problem = format!("{:?} cannot be the name of {what}", given.value);
        checker.refuse(&given.span, problem, "write letters, digits, `_`, `-` and `.`");
    }
    given.value.clone()
}

fn memory(guest: &file::Guest, checker: &mut Checker<'_>) -> u64 {
    let Some(memory) = &guest.memory else { return 256 * MIB };
    let bytes = memory.0.0;
    if !MEMORY.contains(&bytes) || !bytes.is_multiple_of(MIB) {
        let help = "write 128MiB to 64GiB, in whole MiB";
        checker.refuse(&memory.span, "no guest can have this much memory", help);
    }
    bytes
}

fn parameters(
    given: &BTreeMap<String, At<String>>,
    checker: &mut Checker<'_>,
) -> BTreeMap<String, String> {
    for (name, value) in given {
        let part = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        if !name.split_once('.').is_some_and(|(module, name)| part(module) && part(name)) {
            let problem = format!("{name:?} is not of the form module.parameter");
            let help = "write for instance \"scsi_dh_rdac.rdac_logging\" = \"15\", in quotes";
            checker.refuse(&value.span, problem, help);
        }
    }
    given.iter().map(|(name, value)| (name.clone(), value.value.clone())).collect()
}

fn multipath(
    given: &file::Multipath,
    handler: Option<&str>,
    checker: &mut Checker<'_>,
) -> Multipath {
    let retries = given.pg_init_retries.as_ref();
    let retries = retries.map(|n| checker.number(Some(n), 1..=50, 1, "`pg_init_retries`") as u8);
    let delay = given.pg_init_delay.as_ref().map(|delay| {
        if delay.0.0 > MAX_DELAY || !delay.0.0.as_nanos().is_multiple_of(1_000_000) {
            let problem = "the kernel refuses this `pg_init_delay`";
            checker.refuse(&delay.span, problem, "write 0s to 60s, in whole milliseconds");
        }
        delay.0.0
    });
    if let Some(first) = given.handler_args.first() {
        match handler {
            None => checker.refuse(&first.span, "there is no handler to take it", "remove it"),
            Some(name) if WITHOUT_ARGUMENTS.contains(&name) => {
                let warning = format!("{name} takes no arguments: the map will not load");
                checker.report(&first.span, Diagnostic::warning(warning));
            }
            Some(_) => {}
        }
    }
    Multipath {
        pg_init_retries: retries,
        pg_init_delay: delay,
        queue_if_no_path: given.queue_if_no_path.unwrap_or(false),
        retain_attached_hw_handler: given.retain_attached_hw_handler.unwrap_or(false),
        selector: match given.selector {
            None | Some(SelectorName::ServiceTime) => Selector::ServiceTime,
            Some(SelectorName::QueueLength) => Selector::QueueLength,
            Some(SelectorName::RoundRobin) => Selector::RoundRobin,
        },
        path_groups: match given.path_groups {
            None | Some(GroupsName::ByOwner) => PathGroups::ByOwner,
            Some(GroupsName::Multibus) => PathGroups::Multibus,
            Some(GroupsName::Failover) => PathGroups::Failover,
        },
        handler_args: given
            .handler_args
            .iter()
            .map(|arg| word(Some(arg), "", "a handler's argument", checker))
            .collect(),
    }
}

/// A regular expression to look for.
pub(super) fn regex(pattern: &At<String>, checker: &mut Checker<'_>) -> Option<TextMatch> {
    match Regex::new(&pattern.value) {
        Ok(regex) => Some(TextMatch::Matches(regex)),
        Err(error) => {
            // The library draws its own caret over several lines; its last line is the reason.
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
            let problem = format!("this is no regular expression: {reason}");
            let help =
                "put a backslash before each of . + * ? ( ) [ ] { } | ^ $ that is meant as such";
            checker.refuse(&pattern.span, problem, help);
            None
        }
    }
}
