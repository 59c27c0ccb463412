//! REPORT LUNS, REPORT SUPPORTED OPERATION CODES and REQUEST SENSE.

use crate::{
    completion::Stop,
    encoding::{be16, be32},
    ids::Lun,
    operation::{OPERATIONS, Operation},
    personality::Site,
    sense::Sense,
    target::Lunz,
    wire::Wire,
};

/// REPORT LUNS (SPC-4 6.33): the LUNs that the nexus sees, and the well-known logical units.
pub(crate) fn report_luns(site: &Site<'_>, cdb: &[u8], wire: &mut Wire<'_>) -> Result<(), Stop> {
    let (units, well_known) = match cdb[2] {
        0x00 => (true, false),
        0x01 => (false, true),
        0x02 => (true, true),
        _ => return Err(Sense::cdb_field(2).into()),
    };
    let mut luns: Vec<Lun> = Vec::new();
    if units {
        luns.extend(site.inventory().into_iter().map(|(number, _)| number));
        // A LUNZ that is a device of its own is listed.
        if site.target.lunz != Lunz::NoDevice && luns.first() != Some(&Lun(0)) {
            luns.insert(0, Lun(0));
        }
    }
    luns.extend(well_known.then_some(Lun::REPORT_LUNS));
    let mut data = vec![0; 8];
    data[..4].copy_from_slice(&((luns.len() * 8) as u32).to_be_bytes());
    data.extend(luns.into_iter().flat_map(|lun| site.target.encode(lun).field()));
    wire.send(&data, be32(cdb, 6) as usize)
}

/// REPORT SUPPORTED OPERATION CODES (SPC-4 6.36), based on [`crate::OPERATIONS`].
pub(crate) fn report_opcodes(site: &Site<'_>, cdb: &[u8], wire: &mut Wire<'_>) -> Result<(), Stop> {
    let supported: Vec<_> = OPERATIONS.iter().filter(|op| site.personality.supports(op)).collect();
    let timeouts = cdb[2] & 0x80 != 0;
    let data = match cdb[2] & 0x07 {
        0 => all_commands(&supported, timeouts),
        option @ 1..=3 => one_command(&supported, option, cdb[3], be16(cdb, 4), timeouts)?,
        _ => return Err(Sense::cdb_field(2).into()),
    };
    wire.send(&data, be32(cdb, 6) as usize)
}

/// A command timeouts descriptor (SPC-4 6.36.4) that indicates no timeouts.
const TIMEOUTS: [u8; 12] = [0, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

fn all_commands(supported: &[&'static Operation], timeouts: bool) -> Vec<u8> {
    let mut data = vec![0; 4];
    for op in supported {
        let flags = u8::from(timeouts) << 1 | u8::from(op.service_action.is_some());
        let action = op.service_action.unwrap_or(0);
        data.extend([op.opcode, 0, 0, action, 0, flags, 0, op.cdb_len() as u8]);
        data.extend(if timeouts { &TIMEOUTS[..] } else { &[] });
    }
    let len = (data.len() - 4) as u32;
    data[..4].copy_from_slice(&len.to_be_bytes());
    data
}

fn one_command(
    supported: &[&'static Operation],
    option: u8,
    opcode: u8,
    action: u16,
    timeouts: bool,
) -> Result<Vec<u8>, Sense> {
    let mut same_code = supported.iter().filter(|op| op.opcode == opcode).peekable();
    let known = same_code.peek().is_some();
    let with_actions = same_code.any(|op| op.service_action.is_some());
    let find = |action: Option<u16>| {
        let is =
            |op: &&&Operation| op.opcode == opcode && op.service_action.map(u16::from) == action;
        supported.iter().find(is)
    };
    let asked = match option {
        // Option 1 is only for operation codes without service actions, option 2 only for those
        // with.
        1 if with_actions => return Err(Sense::cdb_field(2)),
        2 if known && !with_actions => return Err(Sense::cdb_field(2)),
        1 => find(None),
        3 if !with_actions => find(None).filter(|_| action == 0),
        _ => find(Some(action)),
    };
    let Some(op) = asked else { return Ok(vec![0, 0x01, 0, 0]) };
    let mut data = vec![0, u8::from(timeouts) << 7 | 0x03, 0, op.cdb_len() as u8];
    data.extend(op.usage);
    data.extend(if timeouts { &TIMEOUTS[..] } else { &[] });
    Ok(data)
}

/// REQUEST SENSE (SPC-4 6.39) returns `sense` as parameter data.
pub(crate) fn request_sense(sense: Sense, cdb: &[u8], wire: &mut Wire<'_>) -> Result<(), Stop> {
    let allocation = cdb[4].into();
    if cdb[1] & 0x01 == 0 {
        return wire.send(&sense.to_fixed(), allocation);
    }
    let (data, len) = sense.to_descriptor();
    wire.send(&data[..len], allocation)
}

#[cfg(test)]
mod tests {
    use crate::{ArrayConfig, Lun, OPERATIONS, testing::*};

    fn report_opcodes(options: u8, opcode: u8, action: u8) -> [u8; 12] {
        [0xa3, 0x0c, options, opcode, 0, action, 0, 0, 0x10, 0, 0, 0]
    }

    #[test]
    fn report_luns_lists_every_lun_through_any_lun() {
        let ArrayConfig { mut luns, .. } = config();
        luns[1].lun = Lun(255);
        let rig = Rig::new(ArrayConfig { luns, ..config() });
        let cdb = |select| [0xa0, 0, select, 0, 0, 0, 0, 0, 0x10, 0, 0, 0];
        for lun in [LUN0, NO_LUN] {
            let data = rig.get(A, lun, &cdb(0), 4096);
            assert_eq!(data[..8], [0, 0, 0, 16, 0, 0, 0, 0]);
            assert_eq!(data[8..], [0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0]);
            let well_known = [0xc1, 1, 0, 0, 0, 0, 0, 0];
            assert_eq!(rig.get(A, lun, &cdb(2), 4096)[8..], [&data[8..], &well_known[..]].concat());
            assert_eq!(rig.get(A, lun, &cdb(1), 4096)[8..], well_known);
        }
        assert_eq!(rig.sense(A, NO_LUN, &cdb(0x10), &[]), "05/24/00");
    }

    #[test]
    fn the_well_known_lun_answers_what_it_must() {
        let rig = Rig::ready();
        let lun = Lun::REPORT_LUNS;
        assert_eq!(rig.get(A, lun, &[0x12, 0, 0, 0, 36, 0], 36)[0], 0x1e);
        rig.good(A, lun, &TEST_UNIT_READY);
        assert_eq!(rig.get(A, lun, &[0xa0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0], 4096).len(), 24);
        assert_eq!(rig.get(A, lun, &[3, 0, 0, 0, 96, 0], 96)[2], 0);
        assert_eq!(rig.sense(A, lun, &[0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0], &[]), "05/20/00");
    }

    #[test]
    fn all_commands_come_from_the_table() {
        let rig = Rig::ready();
        let data = rig.get(A, LUN0, &report_opcodes(0, 0, 0), 4096);
        let groups = "TARGET PORT GROUPS";
        let supported: Vec<_> = OPERATIONS.iter().filter(|op| !op.name.ends_with(groups)).collect();
        assert_eq!(data[..4], ((supported.len() * 8) as u32).to_be_bytes());
        for (op, entry) in supported.iter().zip(data[4..].chunks(8)) {
            let with_action = u8::from(op.service_action.is_some());
            let action = op.service_action.unwrap_or(0);
            let len = op.cdb_len() as u8;
            assert_eq!(entry, [op.opcode, 0, 0, action, 0, with_action, 0, len]);
        }
        let data = rig.get(A, LUN0, &report_opcodes(0x80, 0, 0), 4096);
        assert_eq!(data.len(), 4 + supported.len() * 20);
        assert_eq!((data[9], data[12..14].to_vec()), (0x02, vec![0, 10]));
    }

    #[test]
    fn one_command_is_described_by_its_usage() {
        let rig = Rig::ready();
        let ask = |options, opcode, action| {
            rig.get(A, LUN0, &report_opcodes(options, opcode, action), 4096)
        };
        // The request that sd sends: WRITE SAME(16) with option 1.
        let data = ask(1, 0x93, 0);
        assert_eq!((data[..4].to_vec(), data[4], data.len()), (vec![0, 3, 0, 16], 0x93, 20));
        let data = ask(2, 0x9e, 0x10);
        assert_eq!((data[1], data[4..6].to_vec()), (3, vec![0x9e, 0x10]));
        assert_eq!(ask(3, 0x9e, 0x10), data);
        assert_eq!(ask(3, 0x28, 0)[1], 3);
        assert_eq!(ask(0x81, 0x28, 0).len(), 4 + 10 + 12);
        // Not supported: WRITE ATOMIC(16), and an unknown service action.
        assert_eq!(ask(1, 0x9c, 0), [0, 1, 0, 0]);
        assert_eq!(ask(2, 0xa3, 0x0a), [0, 1, 0, 0]);
        assert_eq!(ask(3, 0x28, 1), [0, 1, 0, 0]);
    }

    #[test]
    fn an_option_that_does_not_go_with_the_operation_code_is_refused() {
        let rig = Rig::ready();
        for cdb in [report_opcodes(1, 0x9e, 0), report_opcodes(2, 0x28, 0), report_opcodes(4, 0, 0)]
        {
            assert_eq!(rig.sense(A, LUN0, &cdb, &[]), "05/24/00");
        }
    }

    #[test]
    fn request_sense_tells_the_unit_attention_and_takes_it() {
        let rig = Rig::new(config());
        let fixed = rig.get(A, LUN0, &[3, 0, 0, 0, 96, 0], 96);
        assert_eq!(fixed, [0x70, 0, 6, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x29, 0, 0, 0, 0, 0]);
        assert_eq!(
            rig.get(A, LUN0, &[3, 0, 0, 0, 96, 0], 96)[2..14],
            [0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0]
        );
        let descriptor = rig.get(B, LUN0, &[3, 1, 0, 0, 96, 0], 96);
        assert_eq!(descriptor, [0x72, 6, 0x29, 0, 0, 0, 0, 0]);
        assert_eq!(rig.get(A, NO_LUN, &[3, 0, 0, 0, 96, 0], 96)[12..14], [0x25, 0]);
    }
}
