//! The script for Wireshark: names of commands that it does not know.

use std::collections::BTreeMap;

use crate::{
    san::{GOOD, captured, command},
    tool::Tshark,
};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/sansim.lua");

/// CDBs, and what the script calls them. Empty: nothing, since Wireshark knows them.
const CDBS: &[(&[u8], &str)] = &[
    (&[0xa3, 0x0a, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0], "REPORT TARGET PORT GROUPS"),
    (&[0xa3, 0x2a, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0], "REPORT TARGET PORT GROUPS"),
    (&[0xa3, 0x0c, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0], ""),
    (&[0xa4, 0x0a, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0], "SET TARGET PORT GROUPS"),
    (
        &[0x15, 0, 0, 0, 110, 0],
        "MODE SELECT: page 2Ch, redundant controller (RDAC) (by its length)",
    ),
    (
        &[0x55, 0, 0, 0, 0, 0, 0, 0x01, 0x34, 0],
        "MODE SELECT: page 2Ch, redundant controller (RDAC) (by its length)",
    ),
    (&[0x15, 0, 0, 0, 8, 0], "MODE SELECT: page 22h, trespass (EMC) (by its length)"),
    (&[0x55, 0, 0, 0, 0, 0, 0, 0, 19, 0], "MODE SELECT: page 22h, trespass (EMC) (by its length)"),
    (&[0x55, 0, 0, 0, 0, 0, 0, 0, 20, 0], ""),
    (&[0x1a, 0, 0x2c, 0, 252, 0], "MODE SENSE: page 2Ch, redundant controller (RDAC)"),
    (&[0x5a, 0, 0x22, 0, 0, 0, 0, 0, 252, 0], "MODE SENSE: page 22h, trespass (EMC)"),
    (&[0x1a, 0, 0x0a, 0, 252, 0], ""),
    (&[0x1b, 0, 0, 0, 1, 0], "START STOP UNIT: START (hp_sw: activation)"),
    (&[0x1b, 0, 0, 0, 0, 0], ""),
    (
        &[0x12, 1, 0xc0, 0, 252, 0],
        "INQUIRY: VPD page C0h, unit path report (EMC), hardware version (RDAC)",
    ),
    (&[0x12, 1, 0xc9, 0, 252, 0], "INQUIRY: VPD page C9h, volume access control (RDAC)"),
    (&[0x12, 1, 0x83, 0, 252, 0], ""),
    (&[0x12, 0, 0xc9, 0, 252, 0], ""),
    (&[0x28, 0, 0, 0, 0, 0, 0, 0, 8, 0], ""),
];

#[test]
fn the_script_names_what_wireshark_does_not() {
    let Some(tshark) = Tshark::find() else { return };
    let records: Vec<_> =
        (0..).zip(CDBS).map(|(seq, (cdb, _))| command(seq, seq, "hba0:A0", cdb, GOOD)).collect();
    let capture = captured(&[], &records);
    let tshark = tshark.with_script(SCRIPT);
    let tags = ["iscsi.initiatortasktag", "sansim.command", "_ws.col.Info"];
    let commands = tshark.fields(&capture, "iscsi.opcode == 1", &tags);
    let seen: BTreeMap<_, _> = commands.iter().map(|row| (row[0].clone(), row)).collect();
    for (seq, (cdb, name)) in CDBS.iter().enumerate() {
        let row = seen[&format!("0x{seq:08x}")];
        assert_eq!(row[1], *name, "{cdb:02x?}");
        assert_eq!(row[2].contains(&format!("[{name}]")), !name.is_empty(), "{cdb:02x?}: {row:?}");
    }
}
