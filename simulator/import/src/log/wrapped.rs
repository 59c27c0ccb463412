//! The lines of a log as a mail has them: quoted, and broken where they were too long for it.

use std::borrow::Cow;

use super::time::has_time;

/// The first column at which programs for mail break a line: most do at 72 to 78.
const WIDTH: usize = 66;
/// Most characters of a line that was put together.
const LONGEST: usize = 2000;

/// The lines, whole and without quote marks. A line is the rest of the one before if it has no time of its own, and
/// its first word would not have fitted there.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let mut rest = text.lines().map(unquoted).peekable();
    std::iter::from_fn(move || {
        let mut line = Cow::Borrowed(rest.next()?);
        if line.len() > LONGEST || !has_time(&line) {
            return Some(line);
        }
        let mut last = line.len();
        while let Some(next) = rest.next_if(|next| is_rest(last, next) && line.len() < LONGEST) {
            last = next.len();
            let line = line.to_mut();
            line.truncate(line.trim_end().len());
            line.push(' ');
            line.push_str(next.trim_start());
        }
        Some(line)
    })
}

fn unquoted(line: &str) -> &str {
    match line.starts_with('>') {
        true => line.trim_start_matches(['>', ' ']),
        false => line,
    }
}

fn is_rest(length: usize, next: &str) -> bool {
    let word = next.split_whitespace().next().map_or(0, str::len);
    word > 0 && length + 1 + word > WIDTH && next.len() <= LONGEST && !has_time(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> Vec<String> {
        lines(text).map(Cow::into_owned).collect()
    }

    #[test]
    fn lines_that_a_mail_has_broken_are_whole_again() {
        let long = "Nov 30 01:36:13 dbhost01 kernel: sd 4:0:1:2: [sdq] tag#11 Add.";
        let text = format!("{long}\nSense: Logical unit not ready\n\nI pulled the cable then.\n");
        let lines = whole(&text);
        assert_eq!(lines[0], format!("{long} Sense: Logical unit not ready"));
        assert_eq!(lines[1..], ["", "I pulled the cable then."]);
    }

    #[test]
    fn what_would_have_fitted_is_a_line_of_its_own() {
        let text = "Nov 30 01:36:13 h kernel: a\nand then\nNov 30 01:36:14 h kernel: b\n";
        assert_eq!(whole(text).len(), 3);
    }

    #[test]
    fn quote_marks_are_no_part_of_a_line() {
        assert_eq!(whole("> > Nov 30 01:36:13 h kernel: a\n"), ["Nov 30 01:36:13 h kernel: a"]);
    }
}
