//! Adding and removing ports and controllers.

use super::*;
use crate::{
    Action, AluaConfig, ArrayConfig, Changed, ControllerId, ControllerState, FrameConfig, Notice,
    PersonalityConfig, PortId,
};

fn attached() -> Rig {
    let rig = Rig::ready();
    rig.array.attach(A.hba, Arc::new(|| {}));
    rig
}

/// The notices about ports and LUNs that HBA 0 received: `-A0:1` if LUN 1 is gone from port A0.
fn told(rig: &Rig) -> String {
    let notices = rig.array.notices(at(3), A.hba).into_iter();
    let words = notices.map(|notice| match notice {
        Notice::LunAdded { port, lun } => format!("+{port}:{}", lun.0),
        Notice::LunRemoved { port, lun } => format!("-{port}:{}", lun.0),
        other => format!("{other:?}"),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn port(rig: &Rig, port: PortId, present: bool) {
    rig.array.apply(at(3), Action::SetPort { port, present }).unwrap();
}

fn set(rig: &Rig, state: ControllerState) {
    rig.array.apply(at(3), Action::SetController { controller: ControllerId::A, state }).unwrap();
}

#[test]
fn a_port_takes_its_disks_along() {
    let rig = attached();
    port(&rig, A.port, false);
    assert_eq!(told(&rig), "-A0:0 -A0:1");
    assert_eq!(rig.answer_at(at(4), A, LUN0, &TEST_UNIT_READY), "BAD TARGET");
    let other = Nexus { port: PortId { index: 1, ..A.port }, ..A };
    assert_eq!(rig.answer_at(at(4), other, LUN0, &TEST_UNIT_READY), "06/29/00", "it is there");
    port(&rig, A.port, false);
    assert_eq!(told(&rig), "", "it is gone already");
    port(&rig, A.port, true);
    assert_eq!(told(&rig), "+A0:0 +A0:1");
    assert_eq!(rig.answer_at(at(4), A, LUN0, &TEST_UNIT_READY), "06/29/07", "a nexus was lost");
    let (port, gone, there) = (A.port, false, true);
    let change = |present| Changed::Port { port, present };
    assert_eq!(rig.changes(), [change(gone), change(there)]);
}

#[test]
fn a_port_can_be_away_at_first() {
    let unplugged = vec![A.port];
    let rig = Rig::new(ArrayConfig { unplugged, ..config() });
    rig.array.attach(A.hba, Arc::new(|| {}));
    assert_eq!(rig.answer_at(at(4), A, LUN0, &TEST_UNIT_READY), "BAD TARGET");
    port(&rig, A.port, true);
    assert_eq!(told(&rig), "+A0:0 +A0:1");
    let unplugged = vec!["A7".parse().unwrap()];
    let gone = Action::SetPort { port: unplugged[0], present: false };
    let refused = rig.array.apply(at(3), gone).unwrap_err();
    assert_eq!(refused.to_string(), "the array has no port A7");
    let refused = Array::new(ArrayConfig { unplugged, ..config() }, Arc::new(Log::default()));
    assert!(refused.unwrap_err().to_string().contains("no port A7"));
}

#[test]
fn a_command_that_waits_behind_a_port_ends_with_it() {
    let rig = Rig::with_faults(vec![rule("r", "READ", Matches::All, hold("h"))]);
    let mut sent = Sent::parked(&rig, at(0), A, 1, &read(0, 1), &[]);
    port(&rig, A.port, false);
    let Disposition::Complete(completion) = sent.resume(&rig, at(3)) else { panic!("it waits") };
    assert_eq!(completion.response.to_string(), "BAD TARGET");
}

#[test]
fn a_controller_that_is_taken_out_takes_its_ports_along_but_for_those_that_are_gone() {
    let rig = attached();
    port(&rig, A.port, false);
    told(&rig);
    set(&rig, ControllerState::Removed);
    assert_eq!(told(&rig), "-A1:0 -A1:1");
    // Inserted again, at first in state failed.
    set(&rig, ControllerState::Failed);
    assert_eq!(told(&rig), "");
    set(&rig, ControllerState::Booting);
    assert_eq!(told(&rig), "+A1:0 +A1:1");
    set(&rig, ControllerState::Online);
    assert_eq!(told(&rig), "");
    port(&rig, A.port, true);
    assert_eq!(told(&rig), "+A0:0 +A0:1");
}

#[test]
fn one_that_fails_takes_no_disks_along() {
    let rig = attached();
    set(&rig, ControllerState::Failed);
    set(&rig, ControllerState::Online);
    assert_eq!(told(&rig), "");
}

#[test]
fn a_peer_does_not_tell_of_a_controller_that_is_out() {
    let personality = PersonalityConfig::Alua(AluaConfig::default());
    let identity = personality.identity();
    let rig = Rig::new(with(FrameConfig { personality, identity, ..frame() })).settled();
    let groups = || rig.get(B, LUN0, &[0xa3, 0x0a, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0], 256).len();
    let both = groups();
    set(&rig, ControllerState::Failed);
    assert_eq!(groups(), both, "a broken one is known of");
    set(&rig, ControllerState::Removed);
    assert_eq!(groups(), both - 16, "one group with two ports less");
    // Mode page 2Ch of an rdac array: no alternate controller.
    let rig = Rig::ready();
    set(&rig, ControllerState::Removed);
    let page = rig.get(B, LUN0, &[0x5a, 0, 0x2c, 0, 0, 0, 0, 0, 255, 0], 255);
    let fields = &page[8..][usize::from(page[7])..][2..];
    assert_eq!(fields[32..36], [0, 2, 0, 3], "alone; the other one is not present");
}
