//! Images that were built for a run and are named by their contents.

use crate::{ImageStore, cache};

/// How many are kept. Others are removed when they are no longer in use.
const KEPT: usize = 8;

/// Prefix of the names; hex digits follow.
const PREFIX: &str = "own-";
const DIGITS: usize = 16;

/// The name for a hash of contents.
pub(crate) fn name_of(content: &str) -> String {
    format!("{PREFIX}{}", content.get(..DIGITS).unwrap_or(content))
}

/// Whether a name has this form.
pub(crate) fn is_named_by_content(name: &str) -> bool {
    let digits = name.strip_prefix(PREFIX).unwrap_or_default();
    digits.len() == DIGITS && digits.chars().all(|c| c.is_ascii_hexdigit())
}

/// Removes images that were not used recently, except `keep`.
pub(crate) fn prune(store: &ImageStore, keep: &str) {
    let names = store.added().unwrap_or_default().into_iter();
    let others = names.filter(|name| is_named_by_content(name) && name != keep);
    for dir in cache::unused(others.map(|name| store.image_dir(&name)), KEPT - 1) {
        let name = dir.file_name().unwrap_or_default().to_string_lossy();
        if let Err(error) = store.remove(&name) {
            tracing::warn!("{error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        time::{Duration, SystemTime},
    };

    use super::*;
    use crate::cache::UNUSED_FOR;

    #[test]
    fn only_those_go_that_nobody_has_used_for_long() {
        let dir = tempfile::tempdir().unwrap();
        let store = ImageStore::at(dir.path()).unwrap();
        let name = |n: u64| name_of(&format!("{n:064x}").chars().rev().collect::<String>());
        let make = |name: &str, age: Duration| {
            let dir = store.image_dir(name);
            fs::create_dir(&dir).unwrap();
            fs::write(dir.join("manifest.json"), "{}").unwrap();
            fs::File::open(dir).unwrap().set_modified(SystemTime::now() - age).unwrap();
        };
        let hour = UNUSED_FOR.as_secs();
        for n in 1..=12 {
            make(&name(n), Duration::from_secs(n * hour / 9));
        }
        make("own-2", Duration::from_secs(99 * hour));
        assert!(is_named_by_content(&name(1)) && !is_named_by_content("own-2"));
        prune(&store, &name(11));
        let left = |n: &u64| store.image_dir(&name(*n)).exists();
        let kept: Vec<u64> = (1..=12).filter(left).collect();
        assert_eq!(kept, [1, 2, 3, 4, 5, 6, 7, 8, 11], "8/9 of an hour is not long");
        assert!(store.image_dir("own-2").exists());
    }
}
