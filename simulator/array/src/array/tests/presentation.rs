//! Tests of LUN masking and mapping, and of changes of volumes with and without notice.

use super::*;
use crate::{
    Action, ActionError, Addressing, ArrayConfig, ConfigError, ControllerId, EncodedLun,
    FrameConfig, LunConfig, LunEvent, Lunz, Mapping, NexusPattern, Notice, Notification,
    Notifications, Ports, Sense, Shown, Target, VolumeChange,
};

const INQUIRY: [u8; 6] = [0x12, 0, 0, 0, 36, 0];
const READ: [u8; 10] = [0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0];
const REPORT_LUNS: [u8; 12] = [0xa0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0];

const THROUGH_A: NexusPattern = NexusPattern { hba: None, ports: Ports::Of(ControllerId::A) };
const THROUGH_B: NexusPattern = NexusPattern { hba: None, ports: Ports::Of(ControllerId::B) };

/// An array with these mappings of LUNs 0 and 1.
fn mapped(first: Mapping, second: Mapping) -> Result<Rig, ConfigError> {
    let ArrayConfig { mut luns, .. } = config();
    (luns[0].mapping, luns[1].mapping) = (first, second);
    let config = ArrayConfig { luns, ..config() };
    Array::new(config.clone(), Arc::new(Log::default()))?;
    Ok(Rig::new(config).settled())
}

/// The numbers in the list of REPORT LUNS.
fn listed(rig: &Rig, nexus: Nexus) -> Vec<u16> {
    let data = rig.get(nexus, LUN0, &REPORT_LUNS, 4096);
    data[8..].chunks(8).map(|lun| u16::from_be_bytes([lun[0], lun[1]])).collect()
}

fn change(rig: &Rig, change: VolumeChange, chosen: Vec<Notification>) {
    let notify = Notifications::Chosen(chosen);
    rig.array.apply(at(3), Action::Volume { change, notify }).unwrap();
}

fn told(to: NexusPattern, sense: Sense) -> Notification {
    Notification { to, event: false, sense: Some(sense) }
}

/// What TEST UNIT READY is answered, until it is answered the same again.
fn answers(rig: &Rig, nexus: Nexus, lun: Lun) -> Vec<String> {
    let mut answers: Vec<String> = Vec::new();
    loop {
        let answer = rig.answer_at(at(5), nexus, lun, &TEST_UNIT_READY);
        if answers.last() == Some(&answer) {
            return answers;
        }
        answers.push(answer);
    }
}

#[test]
fn a_masked_lun_is_not_there() {
    let rig = mapped(Mapping::only(vec![(THROUGH_A, Shown::Own)]), Mapping::default()).unwrap();
    assert_eq!((listed(&rig, A), listed(&rig, B)), (vec![0, 1], vec![1]));
    assert_eq!(rig.get(B, LUN0, &INQUIRY, 36)[0], 0x7f);
    assert_eq!(rig.answer_at(at(1), B, LUN0, &TEST_UNIT_READY), "05/25/00");
    assert_eq!(rig.answer_at(at(1), A, LUN0, &TEST_UNIT_READY), "GOOD");
    assert_eq!(rig.array.inventory(B), [(EncodedLun(1), Some(LUN1))]);
    assert_eq!(rig.array.lun_at(B, EncodedLun(0)), None);
}

#[test]
fn a_lun_has_another_number_for_another_hba() {
    let seven = Mapping::only(vec![
        (NexusPattern { hba: Some(A.hba), ports: Ports::All }, Shown::Own),
        (NexusPattern { hba: Some(B.hba), ports: Ports::All }, Shown::As(Lun(7))),
    ]);
    let rig = mapped(seven, Mapping::default()).unwrap();
    assert_eq!((listed(&rig, A), listed(&rig, B)), (vec![0, 1], vec![1, 7]));
    let page = |nexus, lun| rig.get(nexus, lun, &[0x12, 1, 0x83, 0, 255, 0], 255)[8..24].to_vec();
    assert_eq!(page(A, LUN0), page(B, NO_LUN), "it is one volume");
    assert_eq!(rig.get(B, NO_LUN, &[0x12, 1, 0xc8, 0, 255, 0], 255)[174], 7, "as the host sees it");
    let record = rig.log.commands.lock().unwrap().last().cloned().unwrap();
    assert_eq!((record.lun, record.addressed), (LUN0, NO_LUN));
    assert_eq!(rig.array.lun_at(B, EncodedLun(7)), Some(LUN0));
}

#[test]
fn the_table_of_mode_page_2c_goes_by_the_hosts_numbers() {
    let seven = vec![(NexusPattern::ALL, Shown::As(Lun(7)))];
    let rig = mapped(Mapping::only(seven), Mapping::default()).unwrap();
    let page = rig.get(B, LUN1, &[0x1a, 0x08, 0x2c, 0, 255, 0], 255);
    let table = &page[4 + 2 + 38..][..32];
    assert_eq!((table[0], table[1] != 0, table[7] != 0), (0, true, true));
}

#[test]
fn no_nexus_sees_two_luns_under_one_number() {
    let as_one = || Mapping::only(vec![(THROUGH_B, Shown::As(LUN1))]);
    let error = mapped(as_one(), Mapping::default()).err().unwrap().to_string();
    assert_eq!(error, "hba0:B0 would see two LUNs under number 1");
    let rig = mapped(as_one(), Mapping::only(vec![(THROUGH_A, Shown::Own)])).unwrap();
    let show = VolumeChange::Show { lun: LUN1, to: NexusPattern::ALL, shown: Shown::Own };
    let refused = rig.array.apply(at(1), show.into()).unwrap_err();
    assert!(matches!(refused, ActionError::NumberTaken { number: LUN1, .. }), "{refused}");
    assert_eq!(rig.array.inventory(B), [(EncodedLun(1), Some(LUN0))], "nothing has changed");
    let too_high = Mapping::only(vec![(THROUGH_B, Shown::As(Lun(256)))]);
    assert!(mapped(too_high, Mapping::default()).is_err());
}

#[test]
fn a_lun_that_is_masked_and_shown_again_is_announced_to_those_whom_it_concerns() {
    let rig = Rig::ready();
    rig.array.attach(A.hba, Arc::new(|| {}));
    let show = |shown| VolumeChange::Show { lun: LUN0, to: THROUGH_B, shown };
    rig.array.apply(at(3), show(Shown::Masked).into()).unwrap();
    let (port, lun) = (B.port, EncodedLun(0));
    assert_eq!(rig.array.notices(at(3), A.hba)[0], Notice::LunRemoved { port, lun });
    assert_eq!(answers(&rig, B, LUN0), ["05/25/00"]);
    assert_eq!(answers(&rig, B, LUN1), ["06/3f/0e", "GOOD"]);
    assert_eq!((answers(&rig, A, LUN0), answers(&rig, A, LUN1)), (good(), good()));
    rig.array.apply(at(4), show(Shown::As(NO_LUN)).into()).unwrap();
    let (notice, lun) = (rig.array.notices(at(4), A.hba), EncodedLun(NO_LUN.0));
    assert_eq!((notice.len(), notice[0]), (2, Notice::LunAdded { port, lun }));
    assert_eq!(answers(&rig, B, NO_LUN), ["06/29/00", "GOOD"]);
}

fn good() -> Vec<String> {
    vec!["GOOD".to_owned()]
}

#[test]
fn a_change_without_notice_is_a_change() {
    let rig = Rig::ready();
    rig.array.attach(A.hba, Arc::new(|| {}));
    let name = rig.array.lun_name(LUN0);
    change(&rig, VolumeChange::Replace { lun: LUN0 }, Vec::new());
    assert_ne!(rig.array.lun_name(LUN0), name);
    change(&rig, VolumeChange::Resize { lun: LUN0, bytes: 2 << 20 }, Vec::new());
    assert_eq!(rig.get(A, LUN0, &[0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0], 8)[..4], [0, 0, 15, 255]);
    change(&rig, VolumeChange::SetReadOnly { lun: LUN0, read_only: true }, Vec::new());
    change(&rig, VolumeChange::Rename { lun: LUN0, name: Some([0x60; 16]) }, Vec::new());
    assert_eq!(rig.array.lun_name(LUN0), Some([0x60; 16]));
    for nexus in [A, B] {
        assert_eq!((answers(&rig, nexus, LUN0), answers(&rig, nexus, LUN1)), (good(), good()));
    }
    assert_eq!(rig.array.notices(at(4), A.hba), []);
}

#[test]
fn a_number_that_is_used_again_without_notice_shows_nothing_but_the_volume() {
    let rig = Rig::ready();
    rig.array.attach(A.hba, Arc::new(|| {}));
    change(&rig, VolumeChange::Unmap { lun: LUN0 }, Vec::new());
    assert_eq!((answers(&rig, A, LUN0), answers(&rig, A, LUN1)), (vec!["05/25/00".into()], good()));
    change(&rig, VolumeChange::Remap { lun: LUN1, to: LUN0 }, Vec::new());
    assert_eq!(answers(&rig, A, LUN0), good());
    assert_eq!(rig.array.notices(at(4), A.hba), []);
    let new = LunConfig { lun: NO_LUN, ..config().luns[0].clone() };
    change(&rig, VolumeChange::Map(new), vec![told(THROUGH_A, Sense::POWER_ON)]);
    assert_eq!(answers(&rig, A, NO_LUN), ["06/29/00", "GOOD"]);
    assert_eq!(answers(&rig, B, NO_LUN), good());
}

#[test]
fn a_notice_is_for_whom_it_is_and_says_what_it_says() {
    let rig = Rig::ready();
    rig.array.attach(A.hba, Arc::new(|| {}));
    let resize = VolumeChange::Resize { lun: LUN0, bytes: 2 << 20 };
    let event = Notification { to: THROUGH_B, event: true, sense: None };
    change(&rig, resize, vec![told(THROUGH_A, Sense::CAPACITY_CHANGED), event]);
    assert_eq!(answers(&rig, A, LUN0), ["06/2a/09", "GOOD"]);
    assert_eq!(answers(&rig, B, LUN0), good());
    let notices = rig.array.notices(at(4), A.hba);
    let (port, lun) = (B.port, EncodedLun(0));
    assert_eq!(notices[0], Notice::ParametersChanged { port, lun, asc: 0x2a, ascq: 0x09 });
    assert_eq!(notices.len(), 2, "B0 and B1");

    change(&rig, VolumeChange::Replace { lun: LUN0 }, vec![told(THROUGH_A, Sense::LUNS_CHANGED)]);
    for lun in [LUN0, LUN1] {
        assert_eq!(answers(&rig, A, lun), ["06/3f/0e", "GOOD"], "every LUN reports it");
        assert_eq!(answers(&rig, B, lun), good());
    }
    let gone = told(NexusPattern::ALL, Sense::new(6, 0x3f, 0x05));
    change(&rig, VolumeChange::Unmap { lun: LUN0 }, vec![gone]);
    assert_eq!(answers(&rig, A, LUN1), ["06/3f/05", "GOOD"], "the LUN itself is gone");
}

#[test]
fn a_notice_is_a_unit_attention() {
    let rig = Rig::ready();
    let notify = Notifications::Chosen(vec![told(NexusPattern::ALL, Sense::BECOMING_READY)]);
    let change = VolumeChange::Unmap { lun: LUN0 };
    let refused = rig.array.apply(at(1), Action::Volume { change, notify }).unwrap_err();
    assert!(matches!(refused, ActionError::NotUnitAttention(_)), "{refused}");
    assert_eq!(rig.array.luns(), [LUN0, LUN1], "nothing has changed");
}

#[test]
fn an_event_can_come_at_another_time() {
    let rig = Rig::ready();
    rig.array.attach(A.hba, Arc::new(|| {}));
    let (to, lun) = (NexusPattern::from(Nexus { port: B.port, ..A }), EncodedLun(0));
    for event in [LunEvent::Removed, LunEvent::Added, LunEvent::Changed(Sense::CAPACITY_CHANGED)] {
        rig.array.apply(at(3), Action::Event { to, lun: LUN0, event }).unwrap();
    }
    let port = B.port;
    let changed = Notice::ParametersChanged { port, lun, asc: 0x2a, ascq: 0x09 };
    let expected = [Notice::LunRemoved { port, lun }, Notice::LunAdded { port, lun }, changed];
    assert_eq!(rig.array.notices(at(3), A.hba), expected);
}

#[test]
fn a_command_that_waited_is_for_what_it_finds() {
    let hold = Then::held("h");
    let rig = Rig::with_faults(vec![rule("r", "READ", Matches::All, hold)]);
    let sent = Sent::parked(&rig, at(0), A, 1, &read(0, 1), &[]);
    change(
        &rig,
        VolumeChange::Show { lun: LUN0, to: NexusPattern::ALL, shown: Shown::Masked },
        vec![],
    );
    rig.array.apply(at(4), Action::Release { hold: "h".into() }).unwrap();
    let completion = sent.finish(&rig, at(4)).completion;
    assert_eq!(completion.sense, Some(Sense::LUN_NOT_SUPPORTED));
}

#[test]
fn a_lunz_answers_where_a_nexus_sees_no_lun_0() {
    let lunz = |lunz| {
        let ArrayConfig { mut luns, .. } = config();
        luns[0].mapping = Mapping::only(vec![(THROUGH_A, Shown::Own)]);
        let target = Target { lunz, ..Target::default() };
        Rig::new(ArrayConfig { luns, ..with(FrameConfig { target, ..frame() }) }).settled()
    };
    let disk = lunz(Lunz::Disk);
    let data = disk.get(B, LUN0, &INQUIRY, 36);
    assert_eq!((data[0], &data[16..32]), (0x00, &b"LUNZ            "[..]));
    assert_eq!(disk.get(A, LUN0, &INQUIRY, 36)[16..20], *b"1814", "A sees the LUN");
    assert_eq!(disk.answer_at(at(1), B, LUN0, &TEST_UNIT_READY), "05/25/00");
    assert_eq!(disk.answer_at(at(1), B, LUN0, &READ), "05/25/00");
    assert_eq!(listed(&disk, B), [0, 1]);
    assert_eq!(disk.array.inventory(B), [(EncodedLun(0), None), (EncodedLun(1), Some(LUN1))]);
    let absent = lunz(Lunz::NotConnected);
    assert_eq!(absent.get(B, LUN0, &INQUIRY, 36)[0], 0x20);
    assert_eq!((listed(&absent, B), absent.array.inventory(B).len()), (vec![0, 1], 1));
    let default = lunz(Lunz::NoDevice);
    assert_eq!((default.get(B, LUN0, &INQUIRY, 36)[0], listed(&default, B)), (0x7f, vec![1]));
}

#[test]
fn every_lun_can_be_addressed_flat() {
    let target = Target { addressing: Addressing::Flat, ..Target::default() };
    let rig = Rig::new(with(FrameConfig { target, ..frame() })).settled();
    assert_eq!(listed(&rig, A), [0x4000, 0x4001]);
    assert_eq!(rig.array.lun_at(A, EncodedLun(0x4001)), Some(LUN1));
    rig.array.attach(A.hba, Arc::new(|| {}));
    rig.array.apply(at(3), VolumeChange::Unmap { lun: LUN1 }.into()).unwrap();
    let lun = EncodedLun(0x4001);
    assert_eq!(rig.array.notices(at(3), A.hba)[0], Notice::LunRemoved { port: A.port, lun });
}
