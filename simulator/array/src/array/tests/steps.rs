//! Tests of actions and of snapshots.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use super::*;
use crate::{
    Action, ActionError, Changed, ControllerId, ControllerState, EncodedLun, HbaId, LunChange,
    LunConfig, Notice, Phase, ServiceResponse, VolumeChange,
};

fn apply(rig: &Rig, action: Action) {
    rig.array.apply(at(3), action).unwrap();
}

fn no_bell() -> Arc<dyn Fn() + Send + Sync> {
    Arc::new(|| {})
}

fn new_lun(lun: Lun) -> LunConfig {
    LunConfig { lun, bytes: 8192, ..config().luns[0].clone() }
}

#[test]
fn a_controller_changes_its_state_once() {
    let rig = Rig::ready();
    let (controller, to) = (ControllerId::A, ControllerState::Failed);
    for _ in 0..2 {
        apply(&rig, Action::SetController { controller, state: to });
    }
    let from = ControllerState::Online;
    assert_eq!(rig.changes(), [Changed::Controller { controller, from, to }]);
    for cdb in [&TEST_UNIT_READY[..], &[0x12, 0, 0, 0, 36, 0], &[0xff; 6]] {
        let completion = rig.send(A, LUN0, cdb, &[], 36).completion;
        assert_eq!((completion.response, completion.residual), (ServiceResponse::BadTarget, 36));
    }
    assert_eq!(rig.array.owner(LUN0), Some(ControllerId::A), "nobody asked to move it");
}

#[test]
fn a_step_moves_a_lun() {
    let rig = Rig::ready();
    let (lun, controller) = (LUN0, ControllerId::B);
    for _ in 0..2 {
        apply(&rig, Action::SetOwner { lun, controller });
    }
    let (from, to) = (ControllerId::A, ControllerId::B);
    assert_eq!(rig.changes(), [Changed::Owner { lun, from, to, by: None }]);
    assert_eq!(rig.array.owner(LUN0), Some(ControllerId::B));
    assert_eq!(rig.array.owner(NO_LUN), None);
}

#[test]
fn a_lun_that_appears_is_announced_to_those_with_a_doorbell() {
    let rig = Rig::ready();
    rig.array.attach(A.hba, no_bell());
    apply(&rig, VolumeChange::Map(new_lun(NO_LUN)).into());
    assert_eq!(rig.array.luns(), [LUN0, LUN1, NO_LUN]);
    let notices = rig.array.notices(at(3), A.hba);
    let added =
        |port: &str| Notice::LunAdded { port: port.parse().unwrap(), lun: EncodedLun(NO_LUN.0) };
    assert_eq!(notices, ["A0", "A1", "B0", "B1"].map(added));
    assert_eq!(rig.array.notices(at(3), B.hba), []);
    assert_eq!(rig.sense(A, LUN0, &TEST_UNIT_READY, &[]), "06/3f/0e");
    assert_eq!(rig.sense(A, NO_LUN, &TEST_UNIT_READY, &[]), "06/29/00");
    assert_eq!(rig.get(A, NO_LUN, &read(15, 1), 512), [0; 512]);
    let change = LunChange::Mapped { bytes: 8192 };
    assert_eq!(rig.changes(), [Changed::Lun { lun: NO_LUN, change }]);
}

#[test]
fn a_lun_that_disappears_leaves_nothing_behind() {
    let rig = Rig::ready();
    rig.array.attach(B.hba, no_bell());
    rig.put(A, LUN0, &write(0, 1), &[7; 512]);
    let name = || rig.get(A, LUN0, &[0x12, 1, 0x83, 0, 255, 0], 255)[8..24].to_vec();
    let old = name();
    apply(&rig, VolumeChange::Unmap { lun: LUN0 }.into());
    assert_eq!(rig.array.notices(at(3), B.hba).len(), 4);
    assert_eq!(rig.sense(A, LUN0, &read(0, 1), &[]), "05/25/00");
    assert_eq!(rig.sense(A, LUN1, &TEST_UNIT_READY, &[]), "06/3f/0e");
    apply(&rig, VolumeChange::Map(new_lun(LUN0)).into());
    assert_ne!(name(), old, "it is another LUN");
    assert_eq!(rig.sense(A, LUN0, &TEST_UNIT_READY, &[]), "06/29/00");
    assert_eq!(rig.get(A, LUN0, &read(0, 1), 512), [0; 512]);
}

#[test]
fn a_lun_changes_its_size() {
    let rig = Rig::ready();
    rig.array.attach(A.hba, no_bell());
    rig.put(A, LUN0, &write(0, 1), &[7; 512]);
    apply(&rig, VolumeChange::Resize { lun: LUN0, bytes: 2 << 20 }.into());
    let notice = rig.array.notices(at(3), A.hba)[0];
    let port = A.port;
    assert_eq!(
        notice,
        Notice::ParametersChanged { port, lun: EncodedLun(0), asc: 0x2a, ascq: 0x09 }
    );
    assert_eq!(rig.sense(A, LUN0, &TEST_UNIT_READY, &[]), "06/2a/09");
    assert_eq!(rig.get(A, LUN0, &[0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0], 8)[..4], [0, 0, 0x0f, 0xff]);
    assert_eq!(rig.get(A, LUN0, &read(0, 1), 512), [7; 512]);
    assert_eq!(rig.get(A, LUN0, &read(4095, 1), 512), [0; 512]);
}

#[test]
fn a_step_that_cannot_be_taken_changes_nothing() {
    let rig = Rig::ready();
    let nobody: ControllerId = "C".parse().unwrap();
    let state = ControllerState::Failed;
    let cases = [
        (Action::SetController { controller: nobody, state }, "the array has no controller C"),
        (Action::SetOwner { lun: LUN0, controller: nobody }, "the array has no controller C"),
        (VolumeChange::Unmap { lun: NO_LUN }.into(), "the array has no LUN 7"),
        (
            VolumeChange::SetReadOnly { lun: NO_LUN, read_only: true }.into(),
            "the array has no LUN 7",
        ),
        (VolumeChange::Map(new_lun(LUN0)).into(), "LUN 0 is mapped already"),
        (
            VolumeChange::Resize { lun: LUN0, bytes: 100 }.into(),
            "LUN 0 has 100 bytes, which is not a whole number of 512-byte blocks",
        ),
    ];
    for (action, words) in cases {
        let error: ActionError = rig.array.apply(at(3), action).unwrap_err();
        assert_eq!(error.to_string(), words);
    }
    assert_eq!(rig.changes(), []);
}

#[test]
fn a_checkpoint_is_the_array_as_it_was() {
    let rig = Rig::with_faults(vec![rule("r", "READ", Matches::Nth(2), answer("03/11/00"))]);
    rig.put(A, LUN0, &write(9, 1), &[7; 512]);
    rig.get(A, LUN0, &read(9, 1), 512);
    let snapshot = rig.array.snapshot();
    assert_eq!(snapshot.content_bytes(), 64 << 10, "what was written, by extents");
    // A later write does not reach the snapshot.
    rig.put(A, LUN0, &write(9, 1), &[8; 512]);
    apply(&rig, Action::SetOwner { lun: LUN0, controller: ControllerId::B });
    apply(&rig, VolumeChange::Resize { lun: LUN0, bytes: 512 }.into());
    for _ in 0..2 {
        let log = Arc::new(Log::default());
        let array = Array::from_snapshot(&snapshot, log.clone()).unwrap();
        let copy = Rig { array, log };
        assert_eq!(copy.array.owner(LUN0), Some(ControllerId::A));
        assert_eq!(copy.sense(A, LUN0, &read(9, 1), &[]), "03/11/00", "the count goes on");
        assert_eq!(copy.get(A, LUN0, &read(9, 1), 512), [7; 512]);
        copy.put(A, LUN0, &write(9, 1), &[9; 512]);
        assert_eq!(copy.records()[0].seq, rig.records()[1].seq + 1);
        assert_eq!(copy.array.seed(), 1);
    }
}

#[test]
fn a_controller_runs_through_its_phases_at_their_times_unless_it_is_told_otherwise() {
    let rig = Rig::ready();
    let controller = ControllerId::B;
    let phase = |state, seconds| Phase { state, lasts: Duration::from_secs(seconds) };
    let phases = vec![phase(ControllerState::Offline, 2), phase(ControllerState::Booting, 3)];
    let reboot = Action::Phases { controller, phases, last: ControllerState::Online };
    let bells = Arc::new(AtomicUsize::new(0));
    let rung = bells.clone();
    let ring = move || {
        rung.fetch_add(1, Ordering::Relaxed);
    };
    rig.array.attach(HbaId(0), Arc::new(ring));
    rig.array.apply(at(1000), reboot.clone()).unwrap();
    assert_eq!(bells.load(Ordering::Relaxed), 1, "so that somebody asks at the time of the event");
    assert_eq!(rig.array.next_event(), Some(at(3000)));
    assert!(rig.array.notices(at(7000), HbaId(0)).is_empty());
    assert_eq!(rig.array.next_event(), None);
    let changes = std::mem::take(&mut *rig.log.changes.lock().unwrap());
    let states = changes.into_iter().filter_map(|change| match change.what {
        Changed::Controller { to, .. } => Some((change.at, to)),
        _ => None,
    });
    let through = [
        (at(1000), ControllerState::Offline),
        (at(3000), ControllerState::Booting),
        (at(6000), ControllerState::Online),
    ];
    assert_eq!(states.collect::<Vec<_>>(), through);

    rig.array.apply(at(8000), reboot).unwrap();
    let failed = Action::SetController { controller, state: ControllerState::Failed };
    rig.array.apply(at(9000), failed).unwrap();
    assert_eq!(rig.array.next_event(), None, "a controller that has failed does not boot");
}

#[test]
fn a_lun_that_is_remapped_is_the_same_volume_under_another_number() {
    let rig = Rig::ready();
    rig.put(A, LUN0, &write(0, 1), &[7; 512]);
    let name = rig.get(A, LUN0, &[0x12, 1, 0x83, 0, 255, 0], 255)[4..24].to_vec();
    apply(&rig, VolumeChange::Remap { lun: LUN0, to: NO_LUN }.into());
    assert_eq!(rig.sense(A, LUN0, &TEST_UNIT_READY, &[]), "05/25/00");
    assert_eq!(rig.sense(B, LUN1, &TEST_UNIT_READY, &[]), "06/3f/0e");
    assert_eq!(rig.sense(A, NO_LUN, &TEST_UNIT_READY, &[]), "06/29/00");
    assert_eq!(rig.get(A, NO_LUN, &read(0, 1), 512), [7; 512]);
    assert_eq!(rig.get(A, NO_LUN, &[0x12, 1, 0x83, 0, 255, 0], 255)[4..24], name);
    let taken =
        rig.array.apply(at(3), VolumeChange::Remap { lun: NO_LUN, to: LUN1 }.into()).unwrap_err();
    assert_eq!(taken.to_string(), "LUN 1 is mapped already");
}

#[test]
fn a_lun_that_is_replaced_is_another_volume_under_the_same_number() {
    let rig = Rig::ready();
    rig.put(A, LUN0, &write(0, 1), &[7; 512]);
    let name = || rig.get(A, LUN0, &[0x12, 1, 0x83, 0, 255, 0], 255)[4..24].to_vec();
    let before = name();
    apply(&rig, VolumeChange::Replace { lun: LUN0 }.into());
    assert_ne!(name(), before);
    assert_eq!(rig.sense(A, LUN0, &read(0, 1), &[]), "06/3f/03");
    assert_eq!(rig.get(A, LUN0, &read(0, 1), 512), [0; 512]);
}

#[test]
fn a_link_that_is_down_carries_nothing_and_its_nexus_hears_of_the_loss() {
    let rig = Rig::ready();
    let answer = || rig.send(A, LUN0, &TEST_UNIT_READY, &[], 0).completion;
    let link = |hba, up| apply(&rig, Action::SetLink { hba, port: A.port, up });
    link(Some(HbaId(1)), false);
    assert_eq!(answer().response, ServiceResponse::Ok, "that of another HBA");
    link(Some(HbaId(0)), false);
    assert_eq!(answer().response, ServiceResponse::BadTarget);
    link(Some(HbaId(0)), true);
    assert_eq!(rig.sense(A, LUN0, &TEST_UNIT_READY, &[]), "06/29/07");
    link(None, false);
    assert_eq!(answer().response, ServiceResponse::BadTarget);
    rig.good(B, LUN1, &TEST_UNIT_READY);
    link(None, true);
    apply(&rig, Action::ResetHba { hba: HbaId(0) });
    assert_eq!(rig.sense(A, LUN0, &TEST_UNIT_READY, &[]), "06/29/07");
    rig.good(A, LUN0, &TEST_UNIT_READY);
}

#[test]
fn a_link_flaps_as_often_as_it_should() {
    let rig = Rig::ready();
    let every = Duration::from_secs(1);
    let flap = Action::FlapLink { hba: None, port: A.port, every, times: 2 };
    rig.array.apply(at(1000), flap).unwrap();
    let answers = [1500, 2500, 3500, 4500, 9000].map(|millis| {
        rig.array.notices(at(millis), HbaId(0));
        rig.answer_at(at(millis), A, LUN0, &TEST_UNIT_READY)
    });
    assert_eq!(answers, ["BAD TARGET", "06/29/07", "BAD TARGET", "06/29/07", "GOOD"]);
    assert_eq!(rig.array.next_event(), None);
}

#[test]
fn a_lun_prefers_another_controller_and_stays_where_it_is() {
    let rig = Rig::ready();
    let controller = ControllerId::B;
    apply(&rig, Action::SetPreferred { lun: LUN0, controller });
    let change = LunChange::Preferred(controller);
    assert_eq!(rig.changes(), [Changed::Lun { lun: LUN0, change }]);
    assert_eq!(rig.array.owner(LUN0), Some(ControllerId::A));
    let nowhere = Action::SetPreferred { lun: Lun(99), controller };
    assert!(matches!(rig.array.apply(at(3), nowhere), Err(ActionError::NoLun(Lun(99)))));
}

#[test]
fn a_view_shows_what_was_changed_and_which_paths_answer() {
    let rig = Rig::ready();
    let port = A.port;
    let before = rig.array.view();
    assert!(before.answers(A) && before.links_down.is_empty());
    apply(&rig, Action::SetLink { hba: Some(A.hba), port, up: false });
    apply(
        &rig,
        Action::SetController { controller: ControllerId::B, state: ControllerState::Failed },
    );
    let after = rig.array.view();
    assert_eq!(after.links_down, [(Some(A.hba), port)]);
    assert_eq!(after.controllers[ControllerId::B.index()], ControllerState::Failed);
    assert!(!after.answers(A) && !after.answers(B));
    let other = Nexus { hba: HbaId(A.hba.0 + 1), ..A };
    assert!(after.answers(other), "the link of another HBA is up");
    assert_eq!(after.luns, before.luns);
}
