use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

fn root() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("sansim");
    (directory, root)
}

fn about(name: &str) -> About {
    About {
        pid: 1,
        name: name.to_owned(),
        title: "a title".to_owned(),
        address: "http://127.0.0.1:1/?token=x".to_owned(),
        directory: "/run".into(),
        started: 0,
    }
}

#[test]
fn a_name_is_claimed_once_and_is_free_afterwards() {
    let (_directory, root) = root();
    let place = Place::claim_in(&root, "one").unwrap();
    assert!(matches!(Place::claim_in(&root, "one"), Err(PlaceError::Taken(_))));
    assert!(Place::claim_in(&root, "two").is_ok());
    drop(place);
    let place = Place::claim_in(&root, "one").unwrap();
    let mode = place.socket().parent().unwrap().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn a_lab_is_found_when_it_has_said_what_it_is() {
    let (_directory, root) = root();
    assert!(matches!(find_in(&root, None), Err(PlaceError::None)));
    let one = Place::claim_in(&root, "one").unwrap();
    assert!(matches!(find_in(&root, None), Err(PlaceError::Starting(_))));
    one.publish(&about("one")).unwrap();
    let file = one.directory.join(ABOUT);
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(find_in(&root, None).unwrap().socket, one.socket());
    assert_eq!(find_in(&root, Some("one")).unwrap().about, Some(about("one")));
    let text = find_in(&root, Some("other")).unwrap_err().to_string();
    assert_eq!(text, "there is no lab `other` (running: one)");
    let two = Place::claim_in(&root, "two").unwrap();
    two.publish(&about("two")).unwrap();
    let text = find_in(&root, None).unwrap_err().to_string();
    assert_eq!(text, "several labs are running: one, two (choose one with `--lab NAME`)");
    drop((one, two));
    assert!(matches!(find_in(&root, Some("one")), Err(PlaceError::None)));
}

#[test]
fn what_killed_labs_have_left_is_swept_and_nothing_else() {
    let (_directory, root) = root();
    let lives = Place::claim_in(&root, "lives").unwrap();
    for name in ["killed", "killed-early", "Not-A-Lab"] {
        fs::create_dir(root.join(name)).unwrap();
    }
    for file in [LOCK, SOCKET, ABOUT] {
        fs::write(root.join("killed").join(file), "").unwrap();
    }
    let names: Vec<_> = labs_in(&root).unwrap().into_iter().map(|lab| lab.name).collect();
    assert_eq!(names, ["lives"]);
    assert!(root.join("Not-A-Lab").exists() && lives.directory.exists());
    assert_eq!(fs::read_dir(&root).unwrap().count(), 2);
}

#[test]
fn names_and_paths_are_checked() {
    let (directory, root) = root();
    for name in ["", "-a", "A", "a b", "a/b", "..", "ä", &"a".repeat(33)] {
        assert!(matches!(Place::claim_in(&root, name), Err(PlaceError::Name(_))), "{name}");
    }
    let deep = directory.path().join("x".repeat(90));
    fs::create_dir(&deep).unwrap();
    let refused = Place::claim_in(&deep.join("sansim"), "name");
    assert!(matches!(refused, Err(PlaceError::TooLong(_))));
}

#[test]
fn a_directory_that_others_can_use_is_refused() {
    let (directory, root) = root();
    fs::create_dir(&root).unwrap();
    fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(matches!(Place::claim_in(&root, "one"), Err(PlaceError::Unsafe(_))));
    fs::set_permissions(&root, fs::Permissions::from_mode(0o700)).unwrap();
    assert!(Place::claim_in(&root, "one").is_ok());
    let link = directory.path().join("link");
    symlink(&root, &link).unwrap();
    assert!(matches!(Place::claim_in(&link, "one"), Err(PlaceError::Unsafe(_))));
    assert!(matches!(labs_in(&link), Err(PlaceError::Unsafe(_))));
}
