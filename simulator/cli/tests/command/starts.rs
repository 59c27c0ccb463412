//! What a story starts from: a template, or the checkpoint of an earlier run.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use crate::{
    guest::STORY,
    place::{Place, summary, text},
};

/// A cache directory that contains only the user's images.
fn cache(place: &Place) -> PathBuf {
    let named = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let user = named("SANSIM_CACHE")
        .or_else(|| Some(named("XDG_CACHE_HOME")?.join("sansim")))
        .or_else(|| Some(named("HOME")?.join(".cache/sansim")));
    let cache = place.path().join("cache");
    fs::create_dir(&cache).unwrap();
    symlink(user.unwrap().join("images"), cache.join("images")).unwrap();
    cache
}

/// Runs a story with this cache; returns its events and what it started from (`boot`).
fn tell(place: &Place, cache: &Path, story: &str, options: &[&str]) -> (String, String) {
    let mut run = place.run(&place.scenario(story));
    run.env("SANSIM_CACHE", cache).args(["--time", "skip", "--seed", "7"]).args(options);
    let output = run.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let boot = summary(place)["boot"].as_str().unwrap().to_owned();
    (fs::read_to_string(place.out().join("latest/events.ndjson")).unwrap(), boot)
}

/// The checkpoints in a cache.
fn starts(cache: &Path) -> Vec<PathBuf> {
    let inside = |dir: PathBuf| fs::read_dir(dir).into_iter().flatten().flatten().map(|e| e.path());
    let templates = inside(cache.join("templates")).flat_map(inside);
    let all = templates.map(|template| template.join("starts")).flat_map(inside);
    all.filter(|path| path.is_dir()).collect()
}

#[test]
fn a_story_is_the_same_wherever_it_was_started_from() {
    let place = Place::new();
    let cache = cache(&place);
    let tell = |story: &str, options: &[&str], boot: &str| {
        let (events, booted) = tell(&place, &cache, story, options);
        assert_eq!(booted, boot, "{options:?}");
        events
    };
    let first = tell(STORY, &[], "template");
    assert!(first == tell(STORY, &[], "checkpoint"), "from its start");
    assert!(first == tell(STORY, &["--cold"], "cold"), "from the boot");
    let start = starts(&cache).pop().unwrap();

    for file in ["story", "state", "pages"] {
        let path = start.join(file);
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).unwrap();
        assert!(first == tell(STORY, &[], "template"), "with a damaged {file}");
        assert!(first == tell(STORY, &[], "checkpoint"), "after a damaged {file}");
    }

    // A guest with other disks: its checkpoint in place of the first one must be detected.
    let other =
        STORY.replace("owner = \"A\" }", "owner = \"A\" }, { size = \"64MiB\", owner = \"A\" }");
    tell(&other, &[], "template");
    let others = starts(&cache).into_iter().find(|path| *path != start).unwrap();
    for file in ["story", "state", "pages"] {
        fs::copy(others.join(file), start.join(file)).unwrap();
    }
    assert!(first == tell(STORY, &[], "template"), "with another one's checkpoint");
    assert!(first == tell(STORY, &[], "checkpoint"), "after another one's checkpoint");

    // A fault that acts during discovery is part of what a checkpoint depends on.
    let early = "[[fault]]\nwhen = { op = \"INQUIRY\", stage = \"any\", nth = 1 }\nthen = { delay = \"1s\" }\n";
    for _ in 0..2 {
        tell(&format!("{STORY}\n{early}"), &[], "template");
    }
    assert_eq!(starts(&cache).len(), 2);
    assert_eq!(place.left_over(), Vec::<PathBuf>::new());
}
