//! Finds the keys in which two events differ.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::told::cut;

/// Maximum number of keys reported; with more differences, it is another event.
const MOST: usize = 8;

/// Maximum depth of nested objects; deeper values are compared as a whole.
const DEEPEST: u32 = 16;

/// A key of an event whose value differs between two runs. Values are quoted from the file, and truncated if
/// long; null if the key is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Key {
    /// The key: `latency_s`, or in an object within the event `view.maps[0].paths`.
    pub key: String,
    /// The value in this run.
    pub tells: Option<String>,
    /// The value in the run that it is compared with.
    pub instead_of: Option<String>,
}

/// The first keys that differ, in order of their names. Empty if a line is not a JSON object, or if the values
/// are equal and only the bytes differ.
pub(super) fn different_keys(was: &[u8], is: &[u8]) -> Vec<Key> {
    let mut keys = Vec::new();
    if let (Ok(was), Ok(is)) = (serde_json::from_slice(was), serde_json::from_slice(is)) {
        compare_objects("", &was, &is, DEEPEST, &mut keys);
    }
    keys
}

type Object<'a> = BTreeMap<String, &'a RawValue>;

fn compare_objects(path: &str, was: &Object<'_>, is: &Object<'_>, depth: u32, keys: &mut Vec<Key>) {
    let added = is.keys().filter(|name| !was.contains_key(*name));
    let mut names: Vec<&String> = was.keys().chain(added).collect();
    names.sort_unstable();
    for name in names {
        let key = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        compare(&key, was.get(name).copied(), is.get(name).copied(), depth, keys);
    }
}

fn compare(
    key: &str,
    was: Option<&RawValue>,
    is: Option<&RawValue>,
    depth: u32,
    keys: &mut Vec<Key>,
) {
    let (was, is) = (was.map(RawValue::get), is.map(RawValue::get));
    if was == is || keys.len() == MOST {
        return;
    }
    if let (Some(was), Some(is), 1..) = (was, is, depth) {
        if let (Some(was), Some(is)) = (parse::<Object<'_>>(was), parse::<Object<'_>>(is)) {
            return compare_objects(key, &was, &is, depth - 1, keys);
        }
        if let (Some(was), Some(is)) = (parse::<Vec<&RawValue>>(was), parse::<Vec<&RawValue>>(is))
            && was.len() == is.len()
        {
            for (index, (was, is)) in was.into_iter().zip(is).enumerate() {
                compare(&format!("{key}[{index}]"), Some(was), Some(is), depth - 1, keys);
            }
            return;
        }
    }
    let (from, to) = (was.unwrap_or_default().bytes(), is.unwrap_or_default().bytes());
    let at = from.zip(to).take_while(|(was, is)| was == is).count();
    let shown = |value: Option<&str>| value.map(|value| cut(value.as_bytes(), at));
    keys.push(Key { key: key.to_owned(), tells: shown(is), instead_of: shown(was) });
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Option<T> {
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(was: &str, is: &str) -> Vec<String> {
        let keys = different_keys(was.as_bytes(), is.as_bytes());
        let or = |value: Option<String>| value.unwrap_or("nothing".to_owned());
        keys.into_iter()
            .map(|Key { key, tells, instead_of }| {
                format!("{key}: {} instead of {}", or(tells), or(instead_of))
            })
            .collect()
    }

    #[test]
    fn the_keys_that_differ_are_told_with_what_is_written_there() {
        let keys = told(r#"{"a":1,"b":0.10,"c":"x"}"#, r#"{"a":1,"b":0.1,"d":null}"#);
        let expected = [
            "b: 0.1 instead of 0.10",
            r#"c: nothing instead of "x""#,
            "d: null instead of nothing",
        ];
        assert_eq!(keys, expected);
    }

    #[test]
    fn objects_and_arrays_are_looked_into() {
        let was = r#"{"view":{"maps":[{"name":"lun0","paths":4},{"name":"lun1"}]}}"#;
        let is = r#"{"view":{"maps":[{"name":"lun0","paths":3},{"name":"lun1"}]}}"#;
        assert_eq!(told(was, is), ["view.maps[0].paths: 3 instead of 4"]);
        assert_eq!(told(r#"{"a":[1,2]}"#, r#"{"a":[1]}"#), ["a: [1] instead of [1,2]"]);
    }

    #[test]
    fn what_is_no_object_has_no_keys_and_depth_has_an_end() {
        assert_eq!(told("[1]", "[2]"), [""; 0]);
        assert_eq!(told(r#"{"a":1"#, r#"{"a":2}"#), [""; 0]);
        let deep = |leaf: u32| format!("{}{leaf}{}", r#"{"a":"#.repeat(100), "}".repeat(100));
        let keys = told(&deep(1), &deep(2));
        assert_eq!(keys.len(), 1);
        assert!(keys[0].starts_with(&["a"; DEEPEST as usize + 1].join(".")), "{keys:?}");
    }
}
