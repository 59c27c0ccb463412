//! multipath.conf as it was, without what is private, and without keywords that no multipathd of today knows.

use crate::anonymous::Names;

/// Keywords that are gone, with what has taken their place.
const GONE: [(&str, &str); 6] = [
    ("getuid_callout", "uid_attribute since 0.5"),
    ("default_getuid_callout", "uid_attribute since 0.5"),
    ("prio_callout", "prio since 0.4.9"),
    ("selector", "path_selector"),
    ("udev_dir", "/dev, since 0.5"),
    ("multipath_dir", "built in, since 0.9"),
];

/// Keywords whose values are private, or the lab's own.
const PRIVATE: [&str; 3] = ["alias", "reservation_key", "prkeys_file"];

const SECTIONS: [&str; 8] = [
    "defaults",
    "blacklist",
    "blacklist_exceptions",
    "devices",
    "multipaths",
    "overrides",
    "devnode_blacklist",
    "protocol",
];

/// Whether this looks like a multipath.conf.
pub(crate) fn looks_like(text: &str) -> bool {
    text.lines().any(|line| section(line).is_some())
}

fn section(line: &str) -> Option<&str> {
    let line = line.trim();
    let word = line.split([' ', '\t', '{']).next()?;
    (SECTIONS.contains(&word) && (line.len() == word.len() || line.contains('{'))).then_some(word)
}

/// Whether it has the built-in table of arrays, as only multipathd shows it.
pub(crate) fn has_table(text: &str) -> bool {
    text.lines().filter(|line| line.trim_start().starts_with("vendor ")).count() > 40
}

/// The configuration for the guest. `comments` gets what was changed.
pub(crate) fn adapted(text: &str, names: &mut Names, comments: &mut Vec<String>) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let code = without_comment(line).trim_end();
        let mut words = code.split_whitespace();
        let Some(word) = words.next() else { continue };
        if let Some((_, now)) = GONE.iter().find(|(gone, _)| *gone == word) {
            comments.push(format!("{word} is left out: tools of today have {now}"));
            continue;
        }
        if PRIVATE.contains(&word) {
            let why = if word == "alias" {
                "the lab names its maps lun0, lun1, …"
            } else {
                "it is private"
            };
            comments.push(format!("{word} is left out: {why}"));
            continue;
        }
        out.push_str(&names.text(code));
        out.push('\n');
    }
    comments.sort();
    comments.dedup();
    out
}

/// A comment begins with `#` or `!` (multipath.conf(5)), outside of quotes.
fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    for (at, c) in line.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '#' if !quoted => return &line[..at],
            '!' if !quoted && line[..at].trim().is_empty() => return &line[..at],
            _ => {}
        }
    }
    line
}

/// Of what multipathd shows, the parts that are this host's: the defaults, the overrides, and the device that the
/// array is.
pub(crate) fn own_part(shown: &str, vendor: &str, product: &str) -> String {
    let mut out = String::new();
    for (name, body) in blocks(shown) {
        match name {
            "defaults" | "overrides" if !body.trim().is_empty() => {
                out.push_str(&format!("{name} {{\n{body}}}\n"))
            }
            "devices" => {
                let devices: String = blocks(body)
                    .filter(|(name, body)| *name == "device" && is_for(body, vendor, product))
                    .map(|(_, body)| format!("    device {{\n{}\n    }}\n", body.trim_end()))
                    .collect();
                if !devices.is_empty() {
                    out.push_str(&format!("devices {{\n{devices}}}\n"));
                }
            }
            _ => {}
        }
    }
    out
}

/// The blocks of a level with their names and what is in them.
fn blocks(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let open = rest.find('{')?;
        let name = rest[..open].trim().rsplit([' ', '\n', '\t', '}']).next().unwrap_or_default();
        let body = &rest[open + 1..];
        let mut depth = 1;
        let mut quoted = false;
        let close = body.char_indices().find_map(|(at, c)| {
            match c {
                '"' => quoted = !quoted,
                '{' if !quoted => depth += 1,
                '}' if !quoted => depth -= 1,
                '\n' => quoted = false,
                _ => {}
            }
            (depth == 0).then_some(at)
        });
        let close = close.unwrap_or(body.len());
        rest = body.get(close + 1..).unwrap_or_default();
        Some((name, body[..close].trim_start_matches('\n')))
    })
}

/// Whether a device's patterns, which are regular expressions, are for this array.
fn is_for(device: &str, vendor: &str, product: &str) -> bool {
    let pattern = |key: &str| {
        device.lines().find_map(|line| {
            let value = line.trim().strip_prefix(key)?.trim().trim_matches('"');
            Some(value.to_owned())
        })
    };
    let fits = |pattern: Option<String>, text: &str| {
        let Some(pattern) = pattern else { return false };
        regex::RegexBuilder::new(&pattern)
            .size_limit(1 << 16)
            .build()
            .map_or(pattern == text, |regex| regex.is_match(text))
    };
    fits(pattern("vendor"), vendor) && fits(pattern("product"), product)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_or_private_is_left_out_and_the_rest_stays() {
        let text = "defaults {\n  polling_interval 10 # ask John\n  getuid_callout \"/lib/udev/scsi_id %n\"\n}\n\
                    multipaths {\n  multipath {\n    wwid 3600a0b80b9b2b74025fc721800000000\n    alias secret\n  }\n}\n";
        let (mut names, mut comments) = (Names::new(false), Vec::new());
        let out = adapted(text, &mut names, &mut comments);
        assert!(out.contains("polling_interval 10\n") && out.contains("wwid 3600a0b8"), "{out}");
        for gone in ["John", "secret", "scsi_id", "b9b2b74025fc7218"] {
            assert!(!out.contains(gone), "{out}");
        }
        assert_eq!(comments.len(), 2, "{comments:?}");
    }

    #[test]
    fn of_a_shown_configuration_the_arrays_own_device_is_taken() {
        let shown = "defaults {\n\tpolling_interval 5\n}\nblacklist {\n\tdevice {\n\t\tvendor \"IBM\"\n\t}\n}\n\
                     devices {\n\tdevice {\n\t\tvendor \"IBM\"\n\t\tproduct \"^1814\"\n\t\tprio rdac\n\t}\n\
                     \tdevice {\n\t\tvendor \"DGC\"\n\t\tproduct \".*\"\n\t}\n}\n";
        let own = own_part(shown, "IBM", "1814      FAStT");
        assert!(own.contains("polling_interval 5") && own.contains("prio rdac"), "{own}");
        assert!(!own.contains("DGC") && !own.contains("blacklist"), "{own}");
    }
}
