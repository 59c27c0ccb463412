//! Reads each kind of text into facts.

mod disks;
mod dm;
mod maps_json;
mod multipath_ll;
mod sg;
mod system;

use crate::{
    Text,
    facts::Facts,
    kind::{self, Kind},
};

/// Adds what a text says. Returns what it was taken for; `None` if nothing known looks so.
pub(crate) fn read(text: &Text, facts: &mut Facts) -> Option<&'static str> {
    let kind = kind::of(&text.name, &text.text)?;
    let body = text.text.as_str();
    let named = |body: &str| (text.name.clone(), body.to_owned());
    match kind {
        Kind::MultipathLl => multipath_ll::read(body, facts),
        Kind::MapsJson => maps_json::read(body, facts)?,
        Kind::Conf => {
            let (_, known) = facts.conf.get_or_insert_with(|| named(""));
            known.push_str(body);
            known.push('\n');
        }
        Kind::ShownConfig => {
            facts.shown_config.get_or_insert_with(|| named(body));
        }
        Kind::Dm => dm::read(body, facts),
        Kind::Lsscsi => disks::lsscsi(body, facts),
        Kind::ProcScsi => disks::proc_scsi(body, facts),
        Kind::Uname => system::uname(body, facts),
        Kind::Packages => system::packages(body, facts),
        Kind::Rtpg => sg::port_groups(body, facts),
        Kind::Inquiry => sg::inquiry(body, facts),
        Kind::Page => sg::page(text, facts)?,
    }
    Some(kind.in_words())
}

impl Kind {
    fn in_words(self) -> &'static str {
        match self {
            Kind::MultipathLl => "multipath -ll",
            Kind::MapsJson => "multipathd show maps json",
            Kind::Conf => "multipath.conf",
            Kind::ShownConfig => "multipathd show config",
            Kind::Dm => "dmsetup",
            Kind::Lsscsi => "lsscsi",
            Kind::ProcScsi => "/proc/scsi/scsi",
            Kind::Uname => "the kernel's version",
            Kind::Packages => "packages",
            Kind::Rtpg => "sg_rtpg",
            Kind::Inquiry => "sg_inq",
            Kind::Page => "a page of INQUIRY data",
        }
    }
}

/// A size as people write it: `8.0G`, `930 GB`, `256M`. Units are powers of 1024, as in multipath-tools.
pub(crate) fn size(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 = number.parse().ok()?;
    let shift = match unit.trim().chars().next()?.to_ascii_uppercase() {
        'K' => 10,
        'M' => 20,
        'G' => 30,
        'T' => 40,
        'P' => 50,
        _ => return None,
    };
    let bytes = number * (1u64 << shift) as f64;
    (1.0..1e18).contains(&bytes).then_some(bytes as u64)
}

/// Features in a list whose first word is their number: `3 queue_if_no_path pg_init_retries 50`.
pub(crate) fn features(text: &str) -> Vec<String> {
    let mut words = text.split_whitespace().skip_while(|it| it.parse::<u32>().is_ok()).peekable();
    let mut features = Vec::new();
    while let Some(word) = words.next() {
        match words.next_if(|next| next.parse::<u32>().is_ok()) {
            Some(number) => features.push(format!("{word} {number}")),
            None => features.push(word.to_owned()),
        }
    }
    features
}

/// The device handler in `1 rdac` or `0`.
pub(crate) fn handler(text: &str) -> Option<String> {
    let mut words = text.split_whitespace();
    let count: u32 = words.next()?.parse().ok()?;
    Some(if count == 0 { String::new() } else { words.next()?.to_owned() })
}

#[cfg(test)]
mod tests;
