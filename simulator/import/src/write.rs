//! Writes the scenario.

mod guest;
mod reported;

use std::fmt::Write;

use sansim_language as lang;

use crate::{
    ImportError,
    anonymous::{self, Names},
    facts::{Facts, Page, PortGroup},
    family::{self, Family},
    log::story::{Entry, Story},
    san::{Lun, San},
};

/// The size of a LUN of which none is known.
const SIZE: u64 = 1 << 30;
/// The largest LUN (64 TiB) that the language takes.
const LARGEST: u64 = 1 << 46;
/// The most bytes of all LUNs together: what a host process can map.
const ALL: u64 = LARGEST;

/// The scenario's text. The language has the last word: captured pages that it refuses are left out.
pub(crate) fn scenario(
    facts: &Facts,
    san: &San,
    story: Option<&Story>,
    names: &mut Names,
) -> Result<String, ImportError> {
    let mut pages: Vec<&Page> = facts.pages.iter().filter(|page| is_of_use(page)).collect();
    let mut refused = Vec::new();
    loop {
        let text = text(facts, san, story, &pages, &refused, names);
        match lang::load_text("imported", &text, &[]) {
            Ok(_) => return Ok(text),
            Err(why) if pages.is_empty() => return Err(ImportError::NoScenario(Box::new(why))),
            Err(why) => {
                let page = pages.pop().map_or("", |page| page.name.as_str());
                let why = why.to_string().lines().next().unwrap_or_default().to_owned();
                refused.push(format!("page {page} is left out: {why}"));
            }
        }
    }
}

/// Pages 00h, 80h and 83h name the array's pages, the LUN and the port: ours has its own.
fn is_of_use(page: &Page) -> bool {
    !matches!(page.name.as_str(), "00" | "80" | "83") && !page.name.starts_with('b')
}

fn text(
    facts: &Facts,
    san: &San,
    story: Option<&Story>,
    pages: &[&Page],
    refused: &[String],
    names: &mut Names,
) -> String {
    let mut out = String::new();
    head(&mut out, facts, san, story, names);
    guest::guest(&mut out, facts, san, names);
    array(&mut out, facts, san, pages, refused, names);
    hba(&mut out, san);
    let lun = match story {
        Some(story) => story.lun,
        None => reported::lun(san),
    };
    if let Some(lun) = lun.filter(|_| san.luns.len() > 1) {
        let _ = write!(out, "\n[workload]\nlun = {lun}\n");
    }
    match story {
        Some(story) => tell(&mut out, story),
        None => reported::tell(&mut out, san, facts),
    }
    out
}

/// A string as TOML has it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A text as a comment can have it: without control characters.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// A comment, wrapped.
fn comment(out: &mut String, text: &str) {
    for line in text.lines().map(printable) {
        let mut width = 0;
        for word in line.split(' ') {
            if width == 0 || width + word.len() > 105 {
                let _ = write!(out, "{}# {word}", if width == 0 { "" } else { "\n" });
                width = word.len().max(1);
            } else {
                let _ = write!(out, " {word}");
                width += word.len() + 1;
            }
        }
        out.push('\n');
    }
}

/// A line of a log, as a comment: it is not wrapped.
fn log_line(out: &mut String, line: &str) {
    for line in line.lines() {
        let shown: String = printable(line).chars().take(300).collect();
        let _ = writeln!(out, "#   {shown}");
    }
}

fn head(out: &mut String, facts: &Facts, san: &San, story: Option<&Story>, names: &mut Names) {
    let what = match story {
        Some(_) => "what a log tells of",
        None => "as it was reported",
    };
    let array = format!("{} {}", san.vendor, san.product);
    let array = array.split_whitespace().collect::<Vec<_>>().join(" ");
    let array = if array.is_empty() { san.family.name().to_owned() } else { array };
    let count = |count: usize, name: &str| match count {
        1 => format!("1 {name}"),
        count => format!("{count} {name}s"),
    };
    let (luns, hbas) = (count(san.luns.len(), "LUN"), count(san.targets.len(), "HBA"));
    let title = format!("{what}: {array}, {luns}, {hbas}");
    let _ = writeln!(out, "title = {}", quoted(&title));
    out.push_str("# Made by `sansim import`. Read it: every guess is a comment.\n");
    if let Some(kernel) = &facts.kernel {
        comment(out, &format!("The report's kernel: {}", names.text(kernel)));
    }
    if let Some(tools) = &facts.tools {
        comment(out, &format!("The report's multipath-tools: {tools}"));
    }
    let guesses = san.guesses.iter().chain(story.iter().flat_map(|story| &story.guesses));
    for guess in guesses {
        comment(out, &format!("Guess: {}", names.text(guess)));
    }
    let limit = match story {
        Some(story) if !story.entries.is_empty() => story.limit,
        Some(_) => return,
        None => match reported::limit(san) {
            Some(limit) => limit as f64,
            None => return,
        },
    };
    let _ = writeln!(out, "limit = \"{limit:.0}s\"");
}

fn array(
    out: &mut String,
    facts: &Facts,
    san: &San,
    pages: &[&Page],
    refused: &[String],
    names: &mut Names,
) {
    out.push_str("\n[array]\n");
    match family::model(&san.vendor, &san.product, Some(san.family)) {
        Some((name, _)) => {
            let _ = writeln!(out, "model = {}", quoted(name));
        }
        None => {
            let _ = writeln!(out, "personality = {}", quoted(san.family.name()));
        }
    }
    for (key, text, longest) in
        [("vendor", &san.vendor, 8), ("product", &san.product, 16), ("revision", &san.revision, 4)]
    {
        let fits = text.len() <= longest && text.chars().all(|c| c.is_ascii_graphic() || c == ' ');
        if !text.is_empty() && fits {
            let _ = writeln!(out, "{key} = {}", quoted(text));
        }
    }
    let _ = writeln!(out, "ports_per_controller = {}", san.ports_per_controller);
    luns(out, &san.luns, names);
    if san.family == Family::Alua {
        alua(out, facts, san);
    }
    refused.iter().for_each(|text| comment(out, text));
    for page in pages {
        out.push('\n');
        let kept = if page.name == "standard" { 36 } else { 8 };
        let bytes = anonymous_page(page, kept, names);
        comment(
            out,
            &format!(
                "From {}; letters and digits in it are made unreadable",
                names.text(&page.from)
            ),
        );
        let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let _ = writeln!(
            out,
            "[[array.captured]]\npage = {}\nhex = \"{}\"",
            quoted(&page.name),
            hex.join(" ")
        );
    }
}

fn anonymous_page(page: &Page, kept: usize, names: &Names) -> Vec<u8> {
    match names.keeps() {
        true => page.bytes.clone(),
        false => anonymous::bytes(&page.bytes, kept),
    }
}

/// Whether it is a name of the kind that a LUN can have: NAA type 6, as multipathd writes it.
fn is_naa_6(wwid: &str) -> bool {
    wwid.len() == 33 && wwid.starts_with("36") && wwid.bytes().all(|it| it.is_ascii_hexdigit())
}

/// A size in the largest unit in which it is a whole number.
fn size_in_words(bytes: u64) -> String {
    const UNITS: [(&str, u32); 4] = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let unit = UNITS.into_iter().find(|(_, shift)| bytes.trailing_zeros() >= *shift);
    unit.map_or(format!("{bytes}B"), |(name, shift)| format!("{}{name}", bytes >> shift))
}

fn luns(out: &mut String, luns: &[Lun], names: &mut Names) {
    let all = luns.iter().fold(0, |sum: u64, lun| sum.saturating_add(lun.size.unwrap_or(SIZE)));
    let mut largest = LARGEST;
    if all > ALL {
        largest = ALL / luns.len() as u64;
        let most = size_in_words(largest / (1 << 30) * (1 << 30));
        comment(
            out,
            &format!("Guess: no LUN is larger than {most}, so that there is room for all"),
        );
    }
    out.push_str("luns = [\n");
    for lun in luns {
        let size = lun.size.unwrap_or(SIZE).clamp(512, largest) / 4096 * 4096;
        let mut keys = vec![
            format!("lun = {}", lun.number),
            format!("size = \"{}\"", size_in_words(size.max(4096))),
        ];
        keys.push(format!("owner = \"{}\"", lun.owner.name()));
        let wwid = lun.wwid.as_deref().map(|wwid| names.wwid(wwid));
        if let Some(wwid) = wwid.filter(|wwid| is_naa_6(wwid)) {
            keys.push(format!("wwid = {}", quoted(&wwid)));
        }
        if let Some(mapping) = &lun.mapping {
            let seen: Vec<String> = mapping
                .iter()
                .map(|(hba, port, number)| {
                    let other = if *number == lun.number {
                        String::new()
                    } else {
                        format!(", number = {number}")
                    };
                    format!("{{ hba = {hba}, port = \"{port}\"{other} }}")
                })
                .collect();
            keys.push(format!("mapping = [{}]", seen.join(", ")));
        }
        let map = printable(&names.name(&lun.map, "map"));
        let _ = writeln!(out, "    {{ {} }}, # {map}", keys.join(", "));
    }
    out.push_str("]\n");
}

fn alua(out: &mut String, facts: &Facts, san: &San) {
    let mut keys = Vec::new();
    match facts.tpgs {
        Some(0) => keys.push("tpgs = \"none\""),
        Some(1) => keys.push("tpgs = \"implicit\""),
        Some(2) => keys.push("tpgs = \"explicit\""),
        Some(3) => keys.push("tpgs = \"both\""),
        _ => {}
    }
    let states: Vec<u8> = facts.port_groups.iter().map(|group: &PortGroup| group.state).collect();
    let one_group = san.map.groups.len() == 1;
    let non_owner = match states.iter().find(|state| **state != 0) {
        Some(1) => Some("active/non-optimized"),
        Some(2) => Some("standby"),
        Some(3) => Some("unavailable"),
        None if one_group && facts.port_groups.len() != 1 => Some("active/optimized"),
        _ => None,
    };
    if facts.tpgs.is_none() && facts.port_groups.is_empty() {
        comment(
            out,
            "Guess: the access states are those of the groups in `multipath -ll`; who can change them is not told",
        );
    }
    let non_owner = non_owner.map(|state| format!("non_owner = {}", quoted(state)));
    let keys: Vec<String> = keys.into_iter().map(str::to_owned).chain(non_owner).collect();
    let preferred = (!states.is_empty()).then(|| {
        format!("preferred_bit = {}", facts.port_groups.iter().any(|group| group.preferred))
    });
    let keys: Vec<String> = keys.into_iter().chain(preferred).collect();
    if !keys.is_empty() {
        let _ = writeln!(out, "alua = {{ {} }}", keys.join(", "));
    }
}

fn hba(out: &mut String, san: &San) {
    let _ = write!(out, "\n[hba]\ncount = {}\n", san.targets.len());
    let targets: Vec<String> = san
        .targets
        .iter()
        .map(|ports| {
            let ports: Vec<String> = ports.iter().map(|port| format!("\"{port}\"")).collect();
            format!("[{}]", ports.join(", "))
        })
        .collect();
    let _ = writeln!(out, "targets = [{}]", targets.join(", "));
}

/// The story of a log.
fn tell(out: &mut String, story: &Story) {
    if !story.seen.is_empty() {
        out.push_str("\n# What else the log says, at the story's times:\n");
        for (t, line) in &story.seen {
            let first = line.lines().next().unwrap_or_default();
            log_line(out, &format!("{t:>8.3}s {first}"));
        }
    }
    for Entry { at, body, is_rule, lines } in &story.entries {
        out.push('\n');
        let most = 8;
        lines.iter().take(most).for_each(|line| log_line(out, line));
        if lines.len() > most {
            let _ = writeln!(out, "#   … {} more", lines.len() - most);
        }
        match is_rule {
            true => {
                let _ = write!(out, "[[fault]]\n{body}\n");
            }
            false => {
                let _ = write!(out, "[[step]]\nat = \"{:.0}ms\"\n{body}\n", at * 1000.0);
            }
        }
    }
    for (comments, body) in &story.expectations {
        out.push('\n');
        for (at, text) in comments.iter().enumerate() {
            match at {
                0 => comment(out, &format!("What would have been right: {text}")),
                _ => log_line(out, text),
            }
        }
        let _ = write!(out, "[[expect]]\n{body}\n");
    }
}
