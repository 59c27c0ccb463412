//! `multipathd show maps json`, and `show map NAME json`.

use serde_json::Value;

use super::{features, handler};
use crate::facts::{Facts, Group, Map, Path, PathState};

/// Adds the maps of the text; `None` if it is no JSON.
pub(super) fn read(text: &str, facts: &mut Facts) -> Option<()> {
    let root: Value = serde_json::from_str(text.trim()).ok()?;
    let one = root.get("map").cloned().map(|map| vec![map]);
    let many = root.get("maps").and_then(Value::as_array).cloned();
    for map in many.or(one)? {
        facts.map(read_map(&map));
    }
    Some(())
}

fn text(of: &Value, key: &str) -> String {
    of.get(key).and_then(Value::as_str).unwrap_or_default().trim().to_owned()
}

fn some_text(of: &Value, key: &str) -> Option<String> {
    let text = text(of, key);
    (!text.is_empty() && !text.contains("undef")).then_some(text)
}

fn list<'v>(of: &'v Value, key: &str) -> &'v [Value] {
    of.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn read_map(map: &Value) -> Map {
    let groups = list(map, "path_groups").iter().map(|group| Group {
        priority: group.get("pri").and_then(Value::as_i64).and_then(|it| i32::try_from(it).ok()),
        active: text(group, "dm_st") == "active",
        paths: list(group, "paths").iter().map(read_path).collect(),
    });
    Map {
        name: text(map, "name"),
        wwid: some_text(map, "uuid"),
        vendor: text(map, "vend"),
        product: text(map, "prod"),
        size: None,
        features: features(&text(map, "features")),
        handler: handler(&text(map, "hwhandler")),
        groups: groups.collect(),
    }
}

/// A path. The JSON has no address; the disk's name and number lead to one.
fn read_path(path: &Value) -> Path {
    let state = match (text(path, "chk_st").as_str(), text(path, "dm_st").as_str()) {
        ("faulty" | "down" | "i/o-error", _) => PathState::Down,
        (_, "failed") => PathState::GivenUp,
        _ => PathState::Good,
    };
    Path {
        address: None,
        disk: some_text(path, "dev"),
        number: some_text(path, "dev_t"),
        state,
        port_name: some_text(path, "target_wwpn"),
    }
}
