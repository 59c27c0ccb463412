use sansim_stage::event::{CommandEvent, Event, GroupState, PathState, What};

use super::*;
use crate::testing::{command, told};

fn read(hba: u8, t: f64, latency_s: f64) -> Event {
    told(t, CommandEvent { hba, latency_s, ..command("READ(10)", "A0", None) })
}

fn drawn(events: impl IntoIterator<Item = Event>, seconds: f64) -> String {
    let mut lanes = Lanes::default();
    events.into_iter().for_each(|event| lanes.push(&event));
    picture(&lanes, seconds).into_string()
}

#[test]
fn marks_that_hide_each_other_are_counted_and_each_has_its_time() {
    let select = |t| told(t, command("MODE SELECT(10)", "A0", None));
    let page = drawn([select(2.0), select(2.0003), select(2.0009), select(7.0)], 10.0);
    assert_eq!(page.matches("class=\"mark good\"").count(), 4);
    assert!(page.contains("data-t=\"2.0009\""), "{page}");
    assert_eq!(page.matches("<text class=\"crowd\"").count(), 1);
    assert!(page.contains(">3</text>"), "{page}");
}

#[test]
fn the_axis_reaches_to_the_end_of_the_story_and_of_its_events() {
    assert!(drawn([read(0, 1.0, 0.1)], 12.5).contains("data-end=\"12.5\""));
    assert!(drawn([read(0, 13.0, 0.1)], 12.5).contains("data-end=\"13\""));
    // Without a command there is nothing to draw but lanes.
    let nothing = drawn([], 0.0);
    assert!(
        nothing.contains("data-end=\"0.001\"") && !nothing.contains("class=\"latency\""),
        "{nothing}"
    );
}

#[test]
fn each_path_has_points_a_rate_and_a_colour() {
    let events = (0..200_u32).map(|n| read((n % 2) as u8, f64::from(n) * 0.01, 2e-4));
    let page = drawn(events, 2.0);
    for part in ["points path0", "points path1", "line path0", "line path1", "hba1:A0"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(page.contains("{\"bins\":[[0,200],[20000,200]"), "{page}");
}

#[test]
fn a_name_cannot_end_the_script() {
    let text = data(&Traffic::default());
    assert_eq!(text, r#"{"series":[],"width":1e-6}"#);
    assert!(!SCRIPT.contains("</script"));
}

#[test]
fn a_picture_of_a_hundred_thousand_commands_stays_small() {
    let events = (0..100_000_u32).flat_map(|n| {
        let (t, hba) = (f64::from(n) * 3e-4, (n % 8) as u8);
        let state = if n % 2 == 0 { PathState::Failed } else { PathState::Active };
        let (path, dev, group_state) = (format!("hba{hba}:A0"), "8:0".into(), GroupState::Current);
        let flap = What::Path { path, dev, state, fails: 1, group: 1, group_state };
        let select = CommandEvent {
            hba,
            latency_s: 1e-4 * f64::from(n % 97),
            ..command("MODE SELECT(10)", "A0", Some("5/91/36"))
        };
        let flap = (n % 10 == 0).then_some(Event { t, what: flap });
        [Some(told(t, select)), flap].into_iter().flatten()
    });
    let page = drawn(events, 31.0);
    assert!(page.len() < 400_000, "{} bytes", page.len());
    assert!(page.contains("are not drawn"), "what is left out is said");
}
