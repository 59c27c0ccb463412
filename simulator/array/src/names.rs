//! Tables of names, used for parsing, displaying and listing values.

/// A table with a name for each value of a type.
pub(crate) type Names<T, const N: usize> = [(&'static str, T); N];

/// The name of a value; empty if the table does not contain the value.
pub(crate) fn name_of<T: PartialEq>(names: &[(&'static str, T)], value: &T) -> &'static str {
    names.iter().find(|(_, it)| it == value).map_or("", |(name, _)| name)
}

/// The value with a name.
pub(crate) fn named<T: Copy>(names: &[(&'static str, T)], text: &str) -> Option<T> {
    names.iter().find(|(name, _)| *name == text).map(|(_, value)| *value)
}

/// All names, for an error message: `a, b or c`.
pub(crate) fn choices<T>(names: &[(&'static str, T)]) -> String {
    let names: Vec<_> = names.iter().map(|(name, _)| *name).collect();
    match names.split_last() {
        Some((last, [])) => (*last).into(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: Names<u8, 3> = [("one", 1), ("two", 2), ("three", 3)];

    #[test]
    fn a_table_goes_both_ways() {
        assert_eq!((name_of(&NAMES, &2), name_of(&NAMES, &4)), ("two", ""));
        assert_eq!((named(&NAMES, "three"), named(&NAMES, "Three")), (Some(3), None));
    }

    #[test]
    fn words_are_listed_as_in_a_sentence() {
        assert_eq!(choices(&NAMES), "one, two or three");
        assert_eq!(
            (choices(&NAMES[..2]), choices(&NAMES[..1])),
            ("one or two".into(), "one".into())
        );
        assert_eq!(choices(&NAMES[..0]), "");
    }
}
