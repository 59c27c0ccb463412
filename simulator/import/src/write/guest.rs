//! The guest: its image, and who builds the maps as they were.

use std::fmt::Write;

use super::{comment, quoted};
use crate::{anonymous::Names, conf, facts::Facts, family::Family, san::San};

/// The images, by the version of their kernel.
const IMAGES: [(&str, (u32, u32)); 3] =
    [("bullseye", (5, 10)), ("bookworm", (6, 1)), ("trixie", (6, 12))];
/// The longest multipath.conf that the language takes, in bytes.
const LONGEST_CONF: usize = 64 << 10;

/// Writes the image, and the manager of the maps with its configuration.
pub(super) fn guest(out: &mut String, facts: &Facts, san: &San, names: &mut Names) {
    out.push_str("\n[guest]\n");
    let version = facts.kernel.as_deref().and_then(version);
    match version {
        Some(version) => {
            let away = |of: (u32, u32)| {
                (i64::from(of.0) - i64::from(version.0)).abs() * 100
                    + (i64::from(of.1) - i64::from(version.1)).abs()
            };
            let (image, of) =
                IMAGES.into_iter().min_by_key(|(_, it)| away(*it)).unwrap_or(IMAGES[1]);
            if of != version {
                let (major, minor) = of;
                comment(
                    out,
                    &format!(
                        "Guess: the nearest image has kernel {major}.{minor}; `sansim run --kernel` takes the report's own"
                    ),
                );
            }
            let _ = writeln!(out, "image = {}", quoted(image));
        }
        None => comment(out, "Guess: the default image; the report does not tell the kernel"),
    }
    if facts.only_dm && facts.conf.is_none() && facts.shown_config.is_none() {
        table(out, san);
        return;
    }
    out.push_str("manager = \"multipathd\"\n");
    let mut comments = Vec::new();
    let conf = match (&facts.conf, &facts.shown_config) {
        (Some((_, text)), _) => conf::adapted(text, names, &mut comments),
        (None, Some((_, shown))) => {
            comments.push(
                "The report has no multipath.conf: this is what its multipathd shows of the configuration".to_owned(),
            );
            let own = conf::own_part(shown, &san.vendor, &san.product);
            conf::adapted(&own, names, &mut comments)
        }
        (None, None) => of_map(san, &mut comments),
    };
    if conf.is_empty() || conf.len() > LONGEST_CONF {
        return;
    }
    out.push_str("\n[guest.multipathd]\n");
    comments.iter().for_each(|text| comment(out, text));
    match conf.contains("'''") || conf.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        true => {
            let _ = writeln!(out, "conf = {}", quoted(&conf));
        }
        false => {
            let _ = writeln!(out, "conf = '''\n{conf}'''");
        }
    }
}

/// `6.1` of `6.1.0-57-amd64`.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(['.', '-']);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// The table of the report's map, where no multipathd has to do with it.
fn table(out: &mut String, san: &San) {
    let handler = san.map.handler.as_deref().unwrap_or_default();
    if handler.is_empty() && san.family != Family::Alua {
        out.push_str("handler = \"none\"\n");
    }
    let mut keys = Vec::new();
    for feature in &san.map.features {
        let (name, value) = feature.split_once(' ').unwrap_or((feature, ""));
        match (name, value.parse::<u64>()) {
            ("queue_if_no_path", _) => keys.push("queue_if_no_path = true".to_owned()),
            ("retain_attached_hw_handler", _) => {
                keys.push("retain_attached_hw_handler = true".to_owned())
            }
            ("pg_init_retries", Ok(count @ 1..=50)) => {
                keys.push(format!("pg_init_retries = {count}"))
            }
            ("pg_init_delay_msecs", Ok(ms @ 1..=60_000)) => {
                keys.push(format!("pg_init_delay = \"{ms}ms\""))
            }
            _ => {}
        }
    }
    if san.map.groups.len() == 1 {
        keys.push("path_groups = \"multibus\"".to_owned());
    }
    if !keys.is_empty() {
        let _ = write!(out, "\n[guest.multipath]\n{}\n", keys.join("\n"));
    }
}

/// A configuration that makes the map as it was: what the map shows.
fn of_map(san: &San, comments: &mut Vec<String>) -> String {
    let mut keys = Vec::new();
    for feature in &san.map.features {
        let (name, value) = feature.split_once(' ').unwrap_or((feature, ""));
        match (name, value.parse::<u64>()) {
            ("queue_if_no_path", _) => keys.push("no_path_retry queue".to_owned()),
            ("pg_init_retries", Ok(count @ 1..=50)) => {
                keys.push(format!("pg_init_retries {count}"))
            }
            _ => {}
        }
    }
    if super::reported::fails_without_a_path(san) {
        keys.push("no_path_retry fail".to_owned());
    }
    if keys.is_empty() || san.vendor.is_empty() {
        return String::new();
    }
    comments.push(
        "Guess: the report has no configuration; these are the features of its map".to_owned(),
    );
    let product: String =
        san.product.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '.' }).collect();
    let body: String = keys.iter().map(|key| format!("        {key}\n")).collect();
    format!(
        "devices {{\n    device {{\n        vendor \"{}\"\n        product \"{product}\"\n{body}    }}\n}}\n",
        san.vendor.replace('"', "")
    )
}
