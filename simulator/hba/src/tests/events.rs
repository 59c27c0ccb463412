use sansim_array::{Action, Lun, VolumeChange};
use sansim_time::Clock;

use crate::{
    guest::{
        ring::{readable, writable},
        san,
    },
    malformed::Malformed,
    rig::Rig,
    wire::EVENT_QUEUE,
};

fn offer_buffer(rig: &mut Rig, slot: u16, len: usize) {
    let parts = [writable(rig.place(slot).data(), len)];
    rig.queue(EVENT_QUEUE).offer_parts(slot, &parts);
}

fn apply(rig: &mut Rig, action: Action) {
    let now = rig.clock.now();
    rig.array.apply(now, action).expect("the array can");
    rig.attend();
}

fn map(rig: &mut Rig, lun: u16) {
    apply(rig, VolumeChange::Map(san::lun(lun, 1 << 16)).into());
}

/// Makes the device deliver events. Returns the used buffers: event, target, LUN bytes and reason.
fn told(rig: &mut Rig) -> Vec<(u32, u8, [u8; 2], u32)> {
    rig.serve_events().expect("the ring is sound");
    let mut events = Vec::new();
    while let Some((slot, len)) = rig.queue(EVENT_QUEUE).take_used() {
        assert_eq!(len, 16);
        let bytes = rig.place(slot).take_data(&rig.memory, 16);
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4"));
        assert_eq!((bytes[4], &bytes[8..12]), (1, &[0; 4][..]));
        events.push((word(0), bytes[5], [bytes[6], bytes[7]], word(12)));
    }
    events.sort_unstable();
    events
}

#[test]
fn luns_that_come_and_go_are_told_behind_each_target() {
    let mut rig = Rig::new(vec![]);
    for slot in 0..8 {
        offer_buffer(&mut rig, slot, 16);
    }
    map(&mut rig, 5);
    assert_eq!(told(&mut rig), [(1, 0, [0, 5], 1), (1, 1, [0, 5], 1)]);
    apply(&mut rig, VolumeChange::Unmap { lun: Lun(5) }.into());
    assert_eq!(told(&mut rig), [(1, 0, [0, 5], 2), (1, 1, [0, 5], 2)]);
    assert_eq!(rig.statistics().events, 4);
}

#[test]
fn a_lun_that_grows_is_told_as_changed() {
    let mut rig = Rig::new(vec![]);
    for slot in 0..4 {
        offer_buffer(&mut rig, slot, 16);
    }
    apply(&mut rig, VolumeChange::Resize { lun: Lun(0), bytes: 2 << 20 }.into());
    let changed = 0x092A;
    assert_eq!(told(&mut rig), [(3, 0, [0, 0], changed), (3, 1, [0, 0], changed)]);
}

#[test]
fn events_wait_for_buffers_and_say_when_some_were_lost() {
    const MISSED: u32 = 0x8000_0000;
    let mut rig = Rig::new(vec![]);
    // Two events each, one for each target. 64 wait, and the rest is lost.
    for lun in 1..=40 {
        map(&mut rig, lun);
    }
    assert!(told(&mut rig).is_empty());
    assert_eq!(rig.statistics().events_missed, 16);
    for slot in 0..8 {
        offer_buffer(&mut rig, slot, 16);
    }
    let events = told(&mut rig);
    assert_eq!(events.len(), 8);
    assert_eq!(events.iter().filter(|event| event.0 == 1).count(), 7);
    assert_eq!(events.iter().filter(|event| event.0 == 1 | MISSED).count(), 1);
    offer_buffer(&mut rig, 0, 16);
    assert_eq!(told(&mut rig).iter().filter(|event| event.0 & MISSED != 0).count(), 0);
}

#[test]
fn a_guest_that_listens_to_nothing_is_told_nothing() {
    let mut rig = Rig::new(vec![]);
    rig.device.set_features(0);
    map(&mut rig, 5);
    offer_buffer(&mut rig, 0, 16);
    assert!(told(&mut rig).is_empty());
    assert!(!rig.device.has_events());
}

#[test]
fn buffers_that_cannot_hold_an_event_come_back_empty_and_lose_none() {
    let mut rig = Rig::new(vec![]);
    offer_buffer(&mut rig, 0, 15);
    let parts = [readable(rig.place(1).data(), 16)];
    rig.queue(EVENT_QUEUE).offer_parts(1, &parts);
    let nowhere = [writable(1 << 40, 16)];
    rig.queue(EVENT_QUEUE).offer_parts(2, &nowhere);
    map(&mut rig, 5);
    rig.serve_events().expect("the ring is sound");
    let used: Vec<_> = std::iter::from_fn(|| rig.queue(EVENT_QUEUE).take_used()).collect();
    assert_eq!(used, [(0, 0), (1, 0), (2, 0)]);
    assert_eq!(rig.statistics().malformed, 3);
    offer_buffer(&mut rig, 3, 16);
    offer_buffer(&mut rig, 4, 16);
    assert_eq!(told(&mut rig).len(), 2);
}

#[test]
fn an_event_queue_that_runs_away_is_left_alone() {
    let mut rig = Rig::new(vec![]);
    map(&mut rig, 5);
    rig.queues[usize::from(EVENT_QUEUE)].guest.set_available_index(&rig.memory, 999);
    assert_eq!(rig.serve_events(), Err(Malformed::BadRing));
}
