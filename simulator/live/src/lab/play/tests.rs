use sansim_language::load_text;

use super::*;

const STORY: &str = r#"
title = "a tour"

[array]
personality = "rdac"
luns = [{ size = "1MiB", owner = "A" }]

[[step]]
at = "1s"
reset_hba = 0

[[step]]
at = "2s"
fail = "controller A"
caption = "A fails."

[[step]]
at = "2s"
reset_hba = 1

[[step]]
at = "5s"
restore = "controller A"
caption = "A is back."
"#;

fn playing(play: Play) -> Playing {
    let scenario = load_text("t", STORY, &[]).unwrap_or_else(|error| panic!("{error}"));
    Playing::new(play, &scenario, Time::ZERO)
}

fn at(seconds: u64) -> Time {
    Time::ZERO + Duration::from_secs(seconds)
}

/// The steps that are done at this time, without anybody going on.
fn done(playing: &mut Playing, now: Time) -> Vec<usize> {
    std::iter::from_fn(|| playing.due(now)).collect()
}

/// The number of the caption that is shown, and whether it waits.
fn shown(playing: &Playing) -> (usize, bool) {
    let tour = playing.tour().expect("a tour");
    assert_eq!(tour.next.is_some(), tour.waits);
    (tour.number, tour.waits)
}

#[test]
fn a_caption_waits_before_its_step_and_stays_until_the_next_is_due() {
    let mut tour = playing(Play::Tour { by_itself: false });
    assert_eq!(shown(&tour), (1, false));
    assert_eq!(done(&mut tour, at(2)), [0]);
    assert_eq!(shown(&tour), (1, true));
    assert!(done(&mut tour, at(60)).is_empty());
    assert_eq!(tour.next_time(), None);

    assert_eq!(tour.go_on(at(60)), Some(1));
    assert_eq!(done(&mut tour, at(60)), [2]);
    assert_eq!(shown(&tour), (1, false));
    assert_eq!(tour.go_on(at(61)), None, "nothing waits yet");

    assert_eq!(tour.next_time(), Some(at(63)));
    assert!(done(&mut tour, at(63)).is_empty());
    assert_eq!(shown(&tour), (2, true));
    assert_eq!(tour.go_on(at(70)), Some(3));
    assert_eq!(shown(&tour), (2, false));
}

#[test]
fn a_tour_that_goes_on_by_itself_leaves_time_to_read() {
    let mut tour = playing(Play::Tour { by_itself: true });
    assert_eq!(done(&mut tour, at(2)), [0]);
    let read = tour.next_time().expect("a time to go on");
    assert_eq!(read, at(2) + SHOWN + EACH * 8);
    assert_eq!(done(&mut tour, read), [1, 2]);
    assert!(done(&mut tour, read + Duration::from_secs(3)).is_empty());
    assert_eq!(shown(&tour), (2, true));
}

#[test]
fn without_a_tour_captions_do_not_wait() {
    let mut steps = playing(Play::Steps);
    assert_eq!(done(&mut steps, at(60)), [0, 1, 2, 3]);
    assert!(steps.tour().is_none());
    let mut nothing = playing(Play::Nothing);
    assert!(done(&mut nothing, at(60)).is_empty() && nothing.next_time().is_none());
}
