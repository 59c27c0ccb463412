//! Parses the status line of a multipath target (`dm-mpath.c:multipath_status`).
//!
//! ```text
//! 2 <queueing> <rounds> 0 <groups> <current>
//!   { <A|E|D> <#ps args> … <#paths> <#info args> { <dev> <A|F> <fails> … }… }…
//! ```
//!
//! The parser follows every count, so it skips words that a later kernel adds.

use std::str::{FromStr, SplitAsciiWhitespace};

use sansim_protocol::{GroupState, GroupStatus, PathState, PathStatus};

/// The parsed fields of a status line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) queueing: bool,
    pub(crate) rounds: u32,
    pub(crate) current_group: u32,
    pub(crate) groups: Vec<GroupStatus>,
}

impl Status {
    /// Whether this status contains every path of `other`.
    pub(crate) fn has_paths_of(&self, other: &Status) -> bool {
        other.devs().all(|dev| self.devs().any(|here| here == dev))
    }

    /// The `major:minor` of every path.
    pub(super) fn devs(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().flat_map(|group| &group.paths).map(|path| path.dev.as_str())
    }
}

/// The words of a line, with a count of those consumed.
struct Words<'a> {
    rest: SplitAsciiWhitespace<'a>,
    taken: usize,
}

impl FromStr for Status {
    type Err = String;

    fn from_str(line: &str) -> Result<Status, String> {
        let mut words = Words { rest: line.split_ascii_whitespace(), taken: 0 };
        let status = words.status();
        status
            .ok_or_else(|| format!("word {} of the status line is unexpected: {line}", words.taken))
    }
}

impl<'a> Words<'a> {
    fn word(&mut self) -> Option<&'a str> {
        self.taken += 1;
        self.rest.next()
    }

    fn number(&mut self) -> Option<u32> {
        self.word()?.parse().ok()
    }

    /// The next word, if it is a single letter.
    fn letter(&mut self) -> Option<char> {
        let mut chars = self.word()?.chars();
        chars.next().filter(|_| chars.next().is_none())
    }

    fn skip(&mut self, count: u32) -> Option<()> {
        (0..count).try_for_each(|_| self.word().map(|_| ()))
    }

    fn status(&mut self) -> Option<Status> {
        let features = self.number()?;
        let queueing = features >= 1 && self.number()? != 0;
        let rounds = if features >= 2 { self.number()? } else { 0 };
        self.skip(features.saturating_sub(2))?;
        let handler = self.number()?;
        self.skip(handler)?;
        let groups = self.number()?;
        let current_group = self.number()?;
        let groups = (0..groups).map(|_| self.group()).collect::<Option<_>>()?;
        Some(Status { queueing, rounds, current_group, groups })
    }

    fn group(&mut self) -> Option<GroupStatus> {
        let state = GroupState::of_letter(self.letter()?)?;
        let selector = self.number()?;
        self.skip(selector)?;
        let paths = self.number()?;
        let info = self.number()?;
        let paths = (0..paths).map(|_| self.path(info)).collect::<Option<_>>()?;
        Some(GroupStatus { state, paths })
    }

    fn path(&mut self, info: u32) -> Option<PathStatus> {
        let dev = self.word()?.to_owned();
        let state = PathState::of_letter(self.letter()?)?;
        let fail_count = self.number()?;
        self.skip(info)?;
        Some(PathStatus { dev, state, fail_count })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A short form for comparisons, `A:8:16A0`: group state, then device, path state and failure count of
    /// each path.
    fn groups(status: &Status) -> Vec<String> {
        let path = |p: &PathStatus| format!("{}{}{}", p.dev, p.state, p.fail_count);
        let paths = |g: &GroupStatus| g.paths.iter().map(path).collect::<Vec<_>>().join(",");
        status.groups.iter().map(|g| format!("{} {}", g.state, paths(g))).collect()
    }

    fn parse(line: &str) -> Status {
        line.parse().unwrap()
    }

    #[test]
    fn after_a_clean_activation() {
        let status = parse("2 0 1 0 2 1 A 0 1 2 8:16 A 0 0 1 E 0 1 2 8:32 A 0 0 1");
        assert_eq!((status.queueing, status.rounds, status.current_group), (false, 1, 1));
        assert_eq!(groups(&status), ["A 8:16A0", "E 8:32A0"]);
    }

    #[test]
    fn in_the_third_round_of_the_second_group() {
        let status = parse("2 1 3 0 2 2 E 0 1 2 8:16 F 1 0 1 A 0 1 2 8:32 A 0 0 1");
        assert_eq!((status.queueing, status.rounds, status.current_group), (true, 3, 2));
        assert_eq!(groups(&status), ["E 8:16F1", "A 8:32A0"]);
    }

    #[test]
    fn bypassed_groups_and_other_selectors() {
        let status = parse("2 0 0 0 2 1 D 0 2 0 8:0 A 0 8:16 F 12 D 0 1 1 65:160 A 3 7");
        assert_eq!(groups(&status), ["D 8:0A0,8:16F12", "D 65:160A3"]);
    }

    #[test]
    fn counts_are_honoured() {
        let status = parse("4 1 2 x y 1 word 1 1 A 2 ps ps 1 3 8:0 A 0 a b c extra");
        assert_eq!((status.queueing, status.rounds), (true, 2));
        assert_eq!(groups(&status), ["A 8:0A0"]);
        assert_eq!(groups(&parse("2 0 0 0 0 1")), [""; 0]);
    }

    #[test]
    fn a_line_that_ends_early_or_says_nonsense_is_an_error() {
        let line = "2 0 1 0 1 1 A 0 1 2 8:16 A 0 0 1";
        for end in 0..line.len() - 1 {
            assert!(line[..end].trim_end().parse::<Status>().is_err(), "{}", &line[..end]);
        }
        let error = "2 0 1 0 1 1 AB 0".parse::<Status>().unwrap_err();
        assert_eq!(error, "word 7 of the status line is unexpected: 2 0 1 0 1 1 AB 0");
        let group = "2 0 1 0 1 1 F 0".parse::<Status>().unwrap_err();
        assert_eq!(group, "word 7 of the status line is unexpected: 2 0 1 0 1 1 F 0");
        assert!(line.replace("8:16 A", "8:16 D").parse::<Status>().is_err());
    }

    proptest! {
        #[test]
        fn no_line_is_a_panic(line in "[0-9AEDF: ]{0,60}") {
            let _ = line.parse::<Status>();
        }
    }
}
