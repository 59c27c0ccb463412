//! Regular expressions that are compiled once.

/// A pattern that is compiled when it is first used.
macro_rules! pattern {
    ($text:expr) => {
        std::sync::LazyLock::new(|| regex::Regex::new($text).expect("a pattern"))
    };
}
pub(crate) use pattern;
