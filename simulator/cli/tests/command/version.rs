//! `sansim --version`.

use crate::place::{Place, text};

#[test]
fn it_says_its_version_and_the_commit_that_it_was_built_from() {
    let output = Place::new().sansim().arg("--version").output().expect("sansim");
    assert!(output.status.success(), "{}", text(&output));
    let said = String::from_utf8(output.stdout).expect("text");
    let version = said.strip_prefix("sansim ").and_then(|said| said.strip_suffix('\n'));
    let version = version.expect("one line that begins with the name");
    let commit =
        version.strip_prefix(env!("CARGO_PKG_VERSION")).expect("the version of the package");
    assert!(is_commit_or_nothing(commit), "{said}");
}

/// The version has no commit if it was built outside git.
fn is_commit_or_nothing(text: &str) -> bool {
    let Some(commit) = text.strip_prefix(" (").and_then(|text| text.strip_suffix(')')) else {
        return text.is_empty();
    };
    let hash = commit.strip_suffix("-dirty").unwrap_or(commit);
    hash.len() >= 7 && hash.chars().all(|digit| matches!(digit, '0'..='9' | 'a'..='f'))
}
