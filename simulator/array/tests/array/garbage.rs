//! The array answers arbitrary commands in any order, and never returns more data than the buffer can hold.

use arbitrary::{Result, Unstructured};

use crate::{
    Command, Completion, Disposition, FrameConfig, Lun, Nexus, OPERATIONS, ServiceResponse, Status,
    families::families,
    testing::{A, B, Bytes, LUN0, LUN1, Rig, TEST_UNIT_READY, at, frame, with},
};

/// Most commands of one input, and most bytes of a command's buffers.
const COMMANDS: usize = 64;
const BUFFER: usize = 3000;

/// A command as an initiator sends it.
struct Sent {
    nexus: Nexus,
    lun: Lun,
    cdb: Vec<u8>,
    buffers: Bytes,
}

impl Sent {
    fn of(input: &mut Unstructured<'_>) -> Result<Sent> {
        let kind: u8 = input.arbitrary()?;
        let nexus = if kind & 1 == 0 { A } else { B };
        // The third is not mapped.
        let lun = Lun(u16::from(kind >> 1 & 3).min(2));
        let cdb = cdb(input)?;
        let room = input.int_in_range(0..=BUFFER)?;
        let len = input.int_in_range(0..=BUFFER)?.min(input.len());
        let data_out = if kind & 8 == 0 { &[] } else { input.bytes(len)? };
        let broken = kind >> 4 == 15;
        Ok(Sent { nexus, lun, cdb, buffers: Bytes { broken, ..Bytes::new(room, data_out) } })
    }
}

/// An operation code of the table with its service action, usually, and any bytes after them.
fn cdb(input: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let which: u8 = input.arbitrary()?;
    let len = input.int_in_range(0..=40)?.min(input.len());
    let mut cdb = vec![which];
    cdb.extend_from_slice(input.bytes(len)?);
    if let Some(known) = OPERATIONS.get(usize::from(which)) {
        cdb[0] = known.opcode;
        if let (Some(byte), Some(action)) = (cdb.get_mut(1), known.service_action) {
            *byte = *byte & 0xe0 | action;
        }
    }
    Ok(cdb)
}

/// Sends a command and checks what the SCSI and the transport's rules say of every answer.
fn send(rig: &Rig, sent: Sent) -> Completion {
    let Sent { nexus, lun, cdb, mut buffers } = sent;
    let offered = buffers.room + buffers.data_out.len();
    let command = Command { nexus, lun, tag: 0, cdb: &cdb };
    let completion = match rig.array.submit(at(1), &command, &mut buffers) {
        Disposition::Complete(completion) => completion,
        Disposition::Transfer(it) => rig.array.transfer(at(1), it, &mut buffers),
        Disposition::Parked(..) => panic!("there is no rule"),
    };
    assert!(buffers.data_in.len() <= buffers.room);
    let used = buffers.data_in.len() + buffers.taken;
    assert_eq!(completion.residual as usize, offered - used);
    let check = completion.status == Status::CheckCondition;
    assert_eq!(completion.sense.is_some(), check);
    let delivered = completion.response == ServiceResponse::Ok;
    assert!(delivered || completion.status == Status::Good);
    assert!(!check || buffers.data_in.is_empty());
    let reported = std::mem::take(&mut *rig.log.commands.lock().unwrap());
    let reported: Vec<_> = reported.iter().map(|record| &record.completion).collect();
    assert_eq!(reported, [&completion]);
    completion
}

/// Whether a command may move a LUN: one that asks for it, if it is carried out; a medium access that arrives, if they
/// do in this family.
fn may_move(cdb: &[u8], by_io: bool, good: bool) -> bool {
    by_io || good && matches!(cdb.first(), Some(0x15 | 0x1b | 0x55 | 0xa4))
}

fn commands(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    let families = families();
    let Ok(family) = input.choose_index(families.len()) else { return };
    let (personality, _, by_io) = families[family].clone();
    let rig = Rig::new(with(FrameConfig { personality, ..frame() })).settled();
    for _ in 0..COMMANDS {
        if input.is_empty() {
            break;
        }
        let Ok(sent) = Sent::of(&mut input) else { break };
        let owners = || [LUN0, LUN1].map(|lun| rig.array.owner(lun));
        let (before, cdb, nexus) = (owners(), sent.cdb.clone(), sent.nexus);
        let completion = send(&rig, sent);
        let good = completion.response == ServiceResponse::Ok && completion.status == Status::Good;
        assert!(owners() == before || may_move(&cdb, by_io, good), "{cdb:02x?}");
        // The array still answers this nexus.
        send(
            &rig,
            Sent { nexus, lun: LUN0, cdb: TEST_UNIT_READY.into(), buffers: Bytes::default() },
        );
    }
}

#[test]
fn any_commands_are_answered_within_their_bounds() {
    sansim_fuzz::fuzz("cdbs", commands);
}
