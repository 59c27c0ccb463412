//! Builds a multipath table line (`dm-mpath.c:multipath_ctr`).

use std::fmt::Write;

use sansim_protocol::{MapSpec, PathAddress};

use crate::fail::{Failure, Result};

/// The device of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathDevice {
    /// Device number as `major:minor`, which dm tables accept in place of a path.
    pub(crate) dev: String,
    /// Size in sectors of 512 bytes; 0 while the capacity is unknown.
    pub(crate) sectors: u64,
}

/// Returns the target's parameters and the map's length in sectors, which is that of the smallest path.
/// `device` looks up the disk of a path.
pub(crate) fn compose(
    spec: &MapSpec,
    device: impl Fn(&PathAddress) -> Result<PathDevice>,
) -> Result<(String, u64)> {
    let words = spec.features.iter().chain(&spec.handler).chain(&spec.selector);
    if let Some(word) = words.into_iter().find(|w| w.is_empty() || w.contains(char::is_whitespace))
    {
        return Err(Failure::new(format!("\"{word}\" is not one word of a table")));
    }
    let Some((selector, arguments)) = spec.selector.split_first() else {
        return Err(Failure::new("a map needs a path selector, for instance service-time"));
    };
    let mut line = String::new();
    counted(&mut line, &spec.features);
    counted(&mut line, &spec.handler);
    let groups = spec.groups.len();
    let first = usize::from(groups > 0);
    let _ = write!(line, "{groups} {first}");
    // All selectors take a repeat count for each path. Only service-time takes a second argument, the
    // relative throughput.
    let per_path: &[&str] = if selector == "service-time" { &["1", "1"] } else { &["1"] };
    let mut length = u64::MAX;
    for group in &spec.groups {
        let _ = write!(line, " {selector} ");
        counted(&mut line, arguments);
        let _ = write!(line, "{} {}", group.len(), per_path.len());
        for path in group {
            let device = device(path)?;
            // The kernel accepts a path whose capacity is still unknown
            // (`dm-table.c:device_area_is_invalid`).
            if device.sectors > 0 {
                length = length.min(device.sectors);
            }
            let _ = write!(line, " {} {}", device.dev, per_path.join(" "));
        }
    }
    if length == u64::MAX {
        return Err(Failure::new("a map needs a path that has a size"));
    }
    Ok((line, length))
}

/// Appends the number of words, then the words, each followed by a space.
fn counted(line: &mut String, words: &[String]) {
    let _ = write!(line, "{} ", words.len());
    for word in words {
        let _ = write!(line, "{word} ");
    }
}

#[cfg(test)]
mod tests {
    use sansim_protocol::TargetAddress;

    use super::*;

    fn path(target: u8) -> PathAddress {
        PathAddress { target: TargetAddress { hba: "0000:00:10.0".into(), target }, lun: 0 }
    }

    /// Target n is `8:(16 n)`, with 2097152 - n sectors. Target 9 does not exist.
    fn device(path: &PathAddress) -> Result<PathDevice> {
        let target = u64::from(path.target.target);
        if target == 9 {
            return Err(Failure::new("no disk"));
        }
        Ok(PathDevice { dev: format!("8:{}", target * 16), sectors: 2_097_152 - target })
    }

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn spec(features: &str, handler: &str, selector: &str, groups: &[&[u8]]) -> MapSpec {
        MapSpec {
            map: "lun0".into(),
            features: words(features),
            handler: words(handler),
            selector: words(selector),
            groups: groups.iter().map(|g| g.iter().map(|t| path(*t)).collect()).collect(),
        }
    }

    #[test]
    fn the_line_of_the_documentation() {
        let features = "queue_if_no_path pg_init_retries 5";
        let spec = spec(features, "rdac", "service-time", &[&[1], &[2]]);
        let (line, length) = compose(&spec, device).unwrap();
        assert_eq!(
            line,
            "3 queue_if_no_path pg_init_retries 5 1 rdac 2 1 \
             service-time 0 1 2 8:16 1 1 service-time 0 1 2 8:32 1 1"
        );
        assert_eq!(length, 2_097_150);
    }

    #[test]
    fn no_features_no_handler_other_selectors_several_paths() {
        let (line, _) = compose(&spec("", "", "round-robin", &[&[1, 2]]), device).unwrap();
        assert_eq!(line, "0 0 1 1 round-robin 0 2 1 8:16 1 8:32 1");
        let (line, _) = compose(&spec("", "emc 1 0", "queue-length", &[&[3]]), device).unwrap();
        assert_eq!(line, "0 3 emc 1 0 1 1 queue-length 0 1 1 8:48 1");
    }

    #[test]
    fn what_makes_no_table_is_refused() {
        let refused = [
            spec("", "", "", &[&[1]]),
            spec("", "", "service-time", &[]),
            spec("", "", "service-time", &[&[]]),
            spec("", "", "service-time", &[&[9]]),
            MapSpec { features: vec!["two words".into()], ..spec("", "", "x", &[&[1]]) },
        ];
        for spec in refused {
            assert!(compose(&spec, device).is_err(), "{spec:?}");
        }
    }
}
