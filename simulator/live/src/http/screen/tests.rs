use proptest::prelude::*;

use super::*;

fn size(rows: u16, columns: u16) -> TerminalSize {
    TerminalSize { rows, columns }
}

fn run(text: &str, look: &str) -> Run {
    Run(text.to_owned(), look.to_owned())
}

#[test]
fn the_first_change_is_everything_and_then_only_lines_that_changed() {
    let mut picture = Picture::new(size(3, 10));
    let first = picture.change().unwrap();
    assert_eq!(first.size, (3, 10));
    assert_eq!(first.lines, [(0, vec![]), (1, vec![]), (2, vec![])]);
    assert_eq!(picture.change(), None);
    picture.take(b"\r\n\x1b[1;31mred\x1b[0m ok  ");
    let change = picture.change().unwrap();
    assert_eq!(change.lines, [(1, vec![run("red", "f1 bold"), run(" ok", "")])]);
    assert_eq!(change.cursor, Some((1, 8)));
    picture.take(b"\x1b[?25l");
    let hidden = picture.change().unwrap();
    assert_eq!((hidden.cursor, hidden.lines), (None, vec![]));
}

#[test]
fn looks_are_words() {
    let mut picture = Picture::new(size(1, 20));
    picture.take(b"\x1b[38;5;200;48;2;1;2;255ma\x1b[0;2;3;4;7mb");
    let lines = picture.change().unwrap().lines;
    let expected = [run("a", "f200 b#0102ff"), run("b", "dim italic underline inverse")];
    assert_eq!(lines, [(0, expected.to_vec())]);
}

#[test]
fn a_wide_character_takes_two_cells_and_is_sent_once() {
    let mut picture = Picture::new(size(1, 6));
    picture.take("a漢b".as_bytes());
    let change = picture.change().unwrap();
    assert_eq!(change.lines, [(0, vec![run("a漢b", "")])]);
    assert_eq!(change.cursor, Some((0, 4)));
}

#[test]
fn what_has_scrolled_away_can_be_seen() {
    let mut picture = Picture::new(size(2, 10));
    picture.take(b"1\r\n2\r\n3\r\n4");
    assert_eq!(picture.change().unwrap().scrollback, 2);
    picture.scroll(9);
    let back = picture.change().unwrap();
    assert_eq!((back.scrolled, back.cursor), (2, None));
    assert_eq!(back.lines, [(0, vec![run("1", "")]), (1, vec![run("2", "")])]);
    picture.scroll(0);
    assert_eq!(picture.change().unwrap().lines[0].1, [run("3", "")]);
}

#[test]
fn a_new_size_sends_everything() {
    let mut picture = Picture::new(size(2, 10));
    picture.take(b"one\r\ntwo");
    picture.change();
    picture.resize(size(3, 5));
    let change = picture.change().unwrap();
    assert_eq!((change.size, change.lines.len()), ((3, 5), 3));
}

#[test]
fn cursor_keys_are_sent_in_the_mode_of_the_program() {
    let mut picture = Picture::new(size(2, 10));
    assert_eq!(picture.keys("\x1b[A".to_owned()), b"\x1b[A");
    picture.take(b"\x1b[?1h");
    assert_eq!(picture.keys("\x1b[A".to_owned()), b"\x1bOA");
    assert_eq!(picture.keys("ls\x1b[A".to_owned()), b"ls\x1b[A");
}

#[test]
fn a_screen_that_is_sent_repetitions_keeps_up() {
    let mut picture = Picture::new(size(24, 80));
    let began = std::time::Instant::now();
    picture.take(&b"a\x1b[65535b".repeat(455));
    assert!(began.elapsed() < std::time::Duration::from_secs(5), "{:?}", began.elapsed());
}

/// Something that a guest may send, or a client.
#[derive(Debug, Clone)]
enum Odd {
    Bytes(Vec<u8>),
    Text(String),
    Size(u16, u16),
    Scroll(usize),
}

fn odd() -> impl Strategy<Value = Odd> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..80).prop_map(Odd::Bytes),
        "(\x1b\\[[?>!]?[0-9;:]{0,8}[ -~]|[a-z漢\u{301}\u{200d}🧪\r\n\t]|\x1b[78DEHMc=>]){0,40}"
            .prop_map(Odd::Text),
        (1..6u16, 1..9u16).prop_map(|(rows, columns)| Odd::Size(rows, columns)),
        (0..9usize).prop_map(Odd::Scroll),
    ]
}

proptest! {
    #[test]
    fn nothing_that_comes_from_the_guest_breaks_the_screen(all in prop::collection::vec(odd(), 1..12)) {
        let mut picture = Picture::new(size(3, 7));
        for odd in all {
            match odd {
                Odd::Bytes(bytes) => picture.take(&bytes),
                Odd::Text(text) => picture.take(text.as_bytes()),
                Odd::Size(rows, columns) => picture.resize(size(rows, columns)),
                Odd::Scroll(lines) => picture.scroll(lines),
            }
            if let Some(change) = picture.change() {
                prop_assert!(change.lines.iter().all(|(row, _)| *row < change.size.0));
            }
        }
    }
}
