//! Files that differ in one byte, which the comparison must find and describe.

use std::{fs, path::PathBuf};

use proptest::prelude::*;
use tempfile::TempDir;

use super::{super::Compared, *};
use sansim_stage::event::{CommandEvent, Event, What};

/// Number of events of each run: more than fit into one read.
const EVENTS: u64 = 4000;

/// A read every millisecond, and every tenth event a log line.
fn event(number: u64) -> Event {
    let what = match number % 10 {
        9 => What::Log { level: Some(6), text: format!("sd 0:0:0:0: message {number}") },
        _ => What::Command(CommandEvent {
            seq: number,
            hba: 1,
            port: "B0".to_owned(),
            controller: "B".to_owned(),
            lun: 3,
            op: "READ(10)".to_owned(),
            cdb: format!("2800{number:08x}00000800"),
            status: "GOOD".to_owned(),
            sense: None,
            response: "OK".to_owned(),
            latency_s: 0.00025,
            fault: None,
        }),
    };
    Event { t: number as f64 / 1e3, what }
}

fn line(event: &Event) -> String {
    format!("{}\n", serde_json::to_string(event).unwrap())
}

/// A complete events file.
fn whole() -> String {
    (0..EVENTS).map(|number| line(&event(number))).collect()
}

/// The position of the first byte of a line; both count from 0.
fn start_of(text: &str, number: u64) -> usize {
    text.split_inclusive('\n').take(number as usize).map(str::len).sum()
}

/// The files of several runs, in a temporary directory.
struct Runs {
    place: TempDir,
    bytes: Bytes,
}

impl Runs {
    /// Starts with a first run with these bytes.
    fn of(first: &str) -> Self {
        let mut runs = Runs { place: tempfile::tempdir().unwrap(), bytes: Bytes::default() };
        runs.add(1, first.as_bytes());
        runs
    }

    fn file(&self, number: u32) -> PathBuf {
        self.place.path().join(format!("{number}.ndjson"))
    }

    fn add(&mut self, number: u32, bytes: &[u8]) {
        fs::write(self.file(number), bytes).unwrap();
        self.bytes.add(number, Ended::Events(self.file(number)));
    }

    fn compare(self) -> Exact {
        let repeat = self.bytes.finish().unwrap();
        match repeat.compared {
            Compared::Bytes(exact) => {
                assert_eq!(repeat.runs, exact.identical + exact.differences.len() as u32);
                exact
            }
            Compared::Stories(loose) => panic!("{loose}"),
        }
    }
}

/// The first difference between a run with these bytes and a complete one.
fn departure_of(bytes: &[u8]) -> Departure {
    let mut runs = Runs::of(&whole());
    runs.add(2, bytes);
    let mut exact = runs.compare();
    assert_eq!((exact.identical, exact.differences.len()), (1, 1));
    exact.differences.remove(0)
}

#[test]
fn the_same_bytes_are_identical() {
    let mut runs = Runs::of(&whole());
    runs.add(3, whole().as_bytes());
    runs.add(2, whole().as_bytes());
    let exact = runs.compare();
    assert!(exact.is_whole());
    assert_eq!(exact.identical, 3);
    let base = exact.base.unwrap();
    assert_eq!((base.run, base.bytes, base.events), (1, whole().len() as u64, EVENTS));
    assert_eq!(base.blake3, blake3::hash(whole().as_bytes()).to_hex().to_string());
}

#[test]
fn one_byte_that_is_flipped_in_the_middle_is_found_and_what_it_belongs_to_is_named() {
    let text = whole();
    let at = start_of(&text, 2345) + line(&event(2345)).find("00000929").unwrap() + 7;
    let mut bytes = text.into_bytes();
    bytes[at] ^= 1;
    let found = departure_of(&bytes);
    assert_eq!((found.run, found.byte, found.line), (2, at as u64 + 1, 2346));
    let Parting::Differs { tells, keys, .. } = found.parting else { panic!("{found:?}") };
    let subject = tells.subject.unwrap();
    assert_eq!(subject.to_string(), "t = 2.345000 s, command 2345 hba1:B0 LUN 3 READ(10)");
    let [key] = keys.as_slice() else { panic!("{keys:?}") };
    assert_eq!(key.to_string(), r#"cdb: "28000000092800000800" instead of "28000000092900000800""#);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn whichever_byte_is_another_is_found(at in any::<prop::sample::Index>(), change in 1_u8..) {
        let mut bytes = whole().into_bytes();
        let at = at.index(bytes.len());
        let line = bytes[..at].iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
        bytes[at] ^= change;
        let found = departure_of(&bytes);
        prop_assert_eq!((found.byte, found.line), (at as u64 + 1, line));
    }
}

#[test]
fn a_latency_that_is_another_is_found() {
    let mut slower = event(1701);
    let What::Command(command) = &mut slower.what else { panic!("{slower:?}") };
    command.latency_s = 0.00026;
    let found = departure_of(whole().replace(&line(&event(1701)), &line(&slower)).as_bytes());
    assert_eq!(found.line, 1702);
    let Parting::Differs { tells, instead_of, keys } = found.parting else { panic!("{found:?}") };
    assert_eq!(tells.subject, instead_of.subject);
    let [key] = keys.as_slice() else { panic!("{keys:?}") };
    assert_eq!(key.to_string(), "latency_s: 0.00026 instead of 0.00025");
}

#[test]
fn a_file_that_is_cut_short_or_goes_on_is_found() {
    let text = whole();
    let boundary = start_of(&text, 3000);
    let cut = departure_of(&text.as_bytes()[..boundary]);
    assert_eq!((cut.byte, cut.line, cut.column), (boundary as u64 + 1, 3001, 1));
    let Parting::Ends { instead_of } = cut.parting else { panic!("{cut:?}") };
    assert_eq!(instead_of.subject.unwrap().t, 3.0);

    let within = departure_of(&text.as_bytes()[..boundary + 10]);
    assert_eq!((within.line, within.column), (3001, 11));
    assert!(matches!(within.parting, Parting::Ends { .. }));

    let unended = departure_of(&text.as_bytes()[..text.len() - 1]);
    assert_eq!((unended.byte, unended.line), (text.len() as u64, EVENTS));

    let longer = departure_of(format!("{text}{}", line(&event(EVENTS))).as_bytes());
    assert_eq!((longer.byte, longer.line), (text.len() as u64 + 1, EVENTS + 1));
    let Parting::GoesOn { tells } = longer.parting else { panic!("{longer:?}") };
    assert_eq!(tells.subject.unwrap().command.unwrap().seq, EVENTS);

    assert!(matches!(departure_of(b"").parting, Parting::Ends { .. }));
}

#[test]
fn an_event_in_the_place_of_another_and_a_line_that_is_none_are_shown_as_they_are() {
    let mut runs = Runs::of(&whole());
    runs.add(2, whole().replace(&line(&event(8)), "").as_bytes());
    let text = runs.compare().to_string();
    let log = line(&event(9));
    assert!(text.contains(&format!("  t = 0.009000 s, log: {}", log.trim())), "{text}");
    let command = "  instead of t = 0.008000 s, command 8 hba1:B0 LUN 3 READ(10): ";
    assert!(text.contains(command), "{text}");

    let garbled = departure_of(whole().replace(&line(&event(8)), "\u{fffd}{\n").as_bytes());
    let Parting::Differs { tells, instead_of, keys } = garbled.parting else {
        panic!("{garbled:?}")
    };
    assert_eq!((tells.subject, keys.len()), (None, 0));
    assert_eq!(tells.text, "\u{fffd}{");
    assert!(instead_of.subject.is_some());
}

#[test]
fn the_same_value_in_other_bytes_differs_too() {
    let text = line(&event(0));
    let mut runs = Runs::of(&text);
    runs.add(2, text.replace("\"t\":0.0,", "\"t\": 0.0,").as_bytes());
    let exact = runs.compare();
    assert_eq!((exact.is_whole(), exact.differences[0].byte), (false, 6));
    assert!(exact.to_string().contains(r#"{"t": 0.0,"#), "{exact}");
}

#[test]
fn what_cannot_be_compared_is_named_and_the_next_is_compared_with_instead() {
    let mut runs = Runs::of(&whole());
    fs::remove_file(runs.file(1)).unwrap();
    runs.add(2, whole().as_bytes());
    runs.bytes.add(3, Ended::Failed("interrupted".to_owned()));
    runs.add(4, whole().as_bytes());
    let exact = runs.compare();
    assert_eq!((exact.base.as_ref().unwrap().run, exact.identical), (2, 2));
    assert!(!exact.is_whole());
    let text = exact.to_string();
    assert!(text.contains("run 1 was not compared: cannot read "), "{text}");
    assert!(text.contains("run 3 was not compared: interrupted"), "{text}");
}

#[test]
fn nothing_that_can_be_read_is_no_agreement_and_one_run_is_no_comparison() {
    let mut runs = Runs::of("");
    runs.add(2, b"");
    for number in [1, 2] {
        fs::remove_file(runs.file(number)).unwrap();
    }
    let repeat = runs.bytes.finish().unwrap();
    assert_eq!((repeat.runs, repeat.exit_code()), (0, 1));
    assert!(repeat.to_string().starts_with("no run left an events.ndjson"), "{repeat}");
    assert_eq!(Runs::of("").bytes.finish(), None);
}

#[test]
fn in_words_the_first_difference_is_explained_and_the_others_are_counted() {
    let mut runs = Runs::of(&whole());
    let slower = whole().replacen("0.00025", "0.00026", 1);
    runs.add(2, slower.as_bytes());
    runs.add(3, whole().as_bytes());
    runs.add(4, slower.as_bytes());
    let digest = blake3::hash(whole().as_bytes()).to_hex();
    let size = whole().len();
    assert_eq!(
        runs.compare().to_string(),
        format!(
            "events.ndjson: 2 of 4 are identical\n\
             that of run 1: 4000 events, {size} bytes, BLAKE3 {digest}\n\
             run 2 differs from run 1 at byte 188 (event 1, its byte 188)\n  \
             t = 0.000000 s, command 0 hba1:B0 LUN 3 READ(10)\n  \
             latency_s: 0.00026 instead of 0.00025\n\
             others that differ: 4"
        )
    );
}

#[test]
fn in_json_it_is_one_object_that_says_what_was_compared() {
    let mut runs = Runs::of(&line(&event(0)));
    runs.add(2, line(&event(0)).replace("0.00025", "0.00026").as_bytes());
    runs.bytes.add(3, Ended::Failed("interrupted".to_owned()));
    let repeat = runs.bytes.finish().unwrap();
    insta::assert_json_snapshot!(repeat);
}
