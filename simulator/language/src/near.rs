//! Suggestions for misspelled words: "Did you mean …?"

/// The accepted words as a help text, the most similar first.
pub(super) fn help<S: AsRef<str>>(word: &str, accepted: &[S]) -> String {
    let all: Vec<String> = accepted.iter().map(|name| format!("`{}`", name.as_ref())).collect();
    let list = match all.as_slice() {
        [] => return "nothing is accepted here".to_owned(),
        [one] => format!("accepted is {one}"),
        [rest @ .., last] => format!("accepted are {} and {last}", rest.join(", ")),
    };
    match nearest(word, accepted) {
        Some(near) => format!("did you mean `{near}`? {list}"),
        None => list,
    }
}

/// The accepted name that is most similar to `word`, if one is similar enough.
pub(super) fn nearest<'n, S: AsRef<str>>(word: &str, accepted: &'n [S]) -> Option<&'n str> {
    let word = word.to_lowercase();
    accepted
        .iter()
        .map(|name| (strsim::jaro_winkler(&word, &name.as_ref().to_lowercase()), name.as_ref()))
        .filter(|(score, _)| *score > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_comes_first() {
        let accepted = ["first", "nth", "every"];
        let help = help("frist", &accepted);
        assert_eq!(help, "did you mean `first`? accepted are `first`, `nth` and `every`");
        assert_eq!(nearest("zzz", &accepted), None);
    }
}
