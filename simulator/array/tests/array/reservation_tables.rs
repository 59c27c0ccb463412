//! Every operation against the reservation conflict tables of the standards.

use crate::{
    AluaConfig, ArrayConfig, FrameConfig, Nexus, PersonalityConfig, Status,
    reservation_model::{Answer, Out, Reservations},
    reservations::{Deed, act, seen, speakers},
    testing::{LUN0, Rig, config, frame, with},
};

/// An operation, and whether it is allowed (A) or conflicts (C). The columns are those of SPC-4
/// 5.13.1 and SBC-3 4.17, for nexuses other than the holder: Write Exclusive; Exclusive Access; the
/// Registrants Only and All Registrants types for registered nexuses; the same types for other
/// nexuses, for Write Exclusive and for Exclusive Access. The last column is for RESERVE by another
/// nexus.
pub(crate) struct Row(pub(crate) &'static str, pub(crate) &'static [u8], pub(crate) &'static str);

#[rustfmt::skip]
pub(crate) const TABLE: [Row; 42] = [
    Row("TEST UNIT READY",       &[0x00, 0, 0, 0, 0, 0],                             "AAAAAC"),
    Row("REQUEST SENSE",         &[0x03, 0, 0, 0, 0, 0],                             "AAAAAA"),
    Row("FORMAT UNIT",           &[0x04, 0, 0, 0, 0, 0],                             "CCACCC"),
    Row("READ(6)",               &[0x08, 0, 0, 0, 1, 0],                             "ACAACC"),
    Row("WRITE(6)",              &[0x0a, 0, 0, 0, 1, 0],                             "CCACCC"),
    Row("INQUIRY",               &[0x12, 0, 0, 0, 36, 0],                            "AAAAAA"),
    Row("MODE SENSE(6)",         &[0x1a, 0, 0x0a, 0, 32, 0],                         "ACAACC"),
    Row("STOP",                  &[0x1b, 0, 0, 0, 0, 0],                             "CCACCC"),
    Row("START",                 &[0x1b, 0, 0, 0, 1, 0],                             "AAAAAA"),
    Row("RECEIVE DIAGNOSTIC RESULTS", &[0x1c, 1, 0, 0, 32, 0],                       "ACAACC"),
    Row("SEND DIAGNOSTIC",       &[0x1d, 0x04, 0, 0, 0, 0],                          "CCACCC"),
    Row("READ CAPACITY(10)",     &[0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0],                 "AAAAAA"),
    Row("READ(10)",              &[0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0],                 "ACAACC"),
    Row("WRITE(10)",             &[0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0],                 "CCACCC"),
    Row("WRITE AND VERIFY(10)",  &[0x2e, 0, 0, 0, 0, 0, 0, 0, 1, 0],                 "CCACCC"),
    Row("VERIFY(10)",            &[0x2f, 0, 0, 0, 0, 0, 0, 0, 1, 0],                 "ACAACC"),
    Row("PRE-FETCH(10)",         &[0x34, 0, 0, 0, 0, 0, 0, 0, 1, 0],                 "ACAACC"),
    Row("SYNCHRONIZE CACHE(10)", &[0x35, 0, 0, 0, 0, 0, 0, 0, 1, 0],                 "CCACCC"),
    Row("WRITE BUFFER",          &[0x3b, 0x02, 0, 0, 0, 0, 0, 0, 1, 0],              "CCACCC"),
    Row("READ BUFFER(10)",       &[0x3c, 0x03, 0, 0, 0, 0, 0, 0, 4, 0],              "ACAACC"),
    Row("WRITE SAME(10)",        &[0x41, 0, 0, 0, 0, 0, 0, 0, 1, 0],                 "CCACCC"),
    Row("UNMAP",                 &[0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0],                 "CCACCC"),
    Row("LOG SENSE",             &[0x4d, 0, 0, 0, 0, 0, 0, 0, 32, 0],                "AAAAAC"),
    Row("MODE SELECT(10)",       &[0x55, 0x10, 0, 0, 0, 0, 0, 0, 0, 0],              "CCACCC"),
    Row("MODE SENSE(10)",        &[0x5a, 0, 0x0a, 0, 0, 0, 0, 0, 32, 0],             "ACAACC"),
    Row("READ(16)",              &[0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0], "ACAACC"),
    Row("COMPARE AND WRITE",     &[0x89, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "CCACCC"),
    Row("WRITE(16)",             &[0x8a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0], "CCACCC"),
    Row("ORWRITE(16)",           &[0x8b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0], "CCACCC"),
    Row("WRITE AND VERIFY(16)",  &[0x8e, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0], "CCACCC"),
    Row("VERIFY(16)",            &[0x8f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0], "ACAACC"),
    Row("PRE-FETCH(16)",         &[0x90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0], "ACAACC"),
    Row("SYNCHRONIZE CACHE(16)", &[0x91, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0], "CCACCC"),
    Row("WRITE SAME(16)",        &[0x93, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0], "CCACCC"),
    Row("READ CAPACITY(16)",     &[0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0], "AAAAAA"),
    Row("GET LBA STATUS",        &[0x9e, 0x12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0], "ACAACC"),
    Row("REPORT LUNS",           &[0xa0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0],           "AAAAAA"),
    Row("REPORT SUPPORTED OPERATION CODES", &[0xa3, 0x0c, 1, 0x12, 0, 0, 0, 0, 1, 0, 0, 0], "ACAACC"),
    Row("READ(12)",              &[0xa8, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0],           "ACAACC"),
    Row("WRITE(12)",             &[0xaa, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0],           "CCACCC"),
    Row("WRITE AND VERIFY(12)",  &[0xae, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0],           "CCACCC"),
    Row("VERIFY(12)",            &[0xaf, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0],           "ACAACC"),
];

/// Operations that only an alua array supports.
#[rustfmt::skip]
const ALUA_TABLE: [Row; 2] = [
    Row("REPORT TARGET PORT GROUPS", &[0xa3, 0x0a, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0],    "AAAAAA"),
    Row("SET TARGET PORT GROUPS",    &[0xa4, 0x0a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],    "CCACCC"),
];

/// The expected outcome of an operation, after the answers that take precedence.
pub(crate) fn expect_operation(
    model: &mut Reservations,
    nexus: Nexus,
    row: &Row,
    before: impl Fn(&mut Reservations, Nexus, bool) -> Option<Answer>,
) -> Option<Answer> {
    // REQUEST SENSE returns a pending unit attention as data, and thereby clears it.
    let silent = ["INQUIRY", "REPORT LUNS"].contains(&row.0);
    match before(model, nexus, silent) {
        Some(_) if row.0 == "REQUEST SENSE" => return Some(Answer::Good(Vec::new())),
        Some(answer) => return Some(answer),
        None => {}
    }
    let is_medium = crate::Operation::of(row.1).is_some_and(|op| op.class == crate::Class::Medium);
    if model.stopped && (is_medium || row.0 == "TEST UNIT READY") {
        return Some(Answer::Sense("02/04/02".into()));
    }
    if !model.lets(nexus, row.2) {
        return Some(Answer::Conflict);
    }
    match row.0 {
        "STOP" => model.stopped = true,
        "START" => model.stopped = false,
        _ => {}
    }
    if is_medium && model.array.owners[0] != nexus.port.controller {
        return Some(Answer::Sense("05/94/01".into()));
    }
    Some(Answer::Good(Vec::new()))
}

/// Every supported operation is in a table or is a reservation command.
#[test]
fn the_tables_are_complete() {
    let own = ["RESERVE", "RELEASE", "PERSISTENT RESERVE IN", "PERSISTENT RESERVE OUT"];
    for op in &crate::OPERATIONS {
        let mut rows = TABLE.iter().chain(&ALUA_TABLE);
        let action = |row: &Row| op.service_action.is_none_or(|action| action == row.1[1] & 0x1f);
        let in_table = rows.any(|row| row.1[0] == op.opcode && action(row));
        // MODE SELECT(6) follows the row of MODE SELECT(10).
        let known = in_table || own.contains(&op.family()) || op.name == "MODE SELECT(6)";
        assert!(known, "{} has no row", op.name);
    }
}

/// A LUN that the holder has reserved with this type, or with RESERVE if `kind` is 0. The
/// registrant is also registered, unless `kind` is 0.
fn reserved(config: ArrayConfig, kind: u8) -> (Rig, Reservations) {
    let [holder, registrant, ..] = speakers();
    let (rig, mut model) = (Rig::new(config), Reservations::new());
    for nexus in speakers() {
        rig.send(nexus, LUN0, &[0; 6], &[], 0);
    }
    let out = |nexus, action, key, new| {
        let out = Out { action, kind, key, new, flags: 0, hbas: vec![], to: holder };
        Deed::Out(nexus, None, out)
    };
    let deeds = match kind {
        0 => vec![Deed::Reserve(holder, true)],
        _ => vec![out(holder, 0, 0, 1), out(registrant, 0, 0, 2), out(holder, 1, 1, 0)],
    };
    for deed in &deeds {
        let expected = match deed {
            Deed::Out(nexus, _, out) => model.out(*nexus, out),
            _ => model.old(holder, true),
        };
        assert_eq!(act(&rig, deed).and_then(|reply| seen(deed, reply)), Some(expected));
    }
    (rig, model)
}

/// Every operation under every type, for the holder, a registered nexus and an unregistered one;
/// and under RESERVE.
#[test]
fn every_operation_meets_every_reservation_as_the_tables_say() {
    let [holder, registrant, _, stranger] = speakers();
    for kind in [0, 1, 3, 5, 6, 7, 8] {
        let (rig, mut model) = reserved(config(), kind);
        for nexus in [holder, registrant, stranger] {
            for (index, row) in TABLE.iter().enumerate() {
                let expected = expect_operation(&mut model, nexus, row, |_, _, _| None);
                let deed = Deed::Operation(nexus, index);
                let answer = act(&rig, &deed).and_then(|reply| seen(&deed, reply));
                assert_eq!(answer, expected, "type {kind}, {nexus}, {}", row.0);
            }
        }
    }
}

/// The same for an alua array, whose other answers differ. Therefore only conflicts are compared.
#[test]
fn an_alua_array_meets_them_too() {
    let [holder, registrant, _, stranger] = speakers();
    let personality = PersonalityConfig::Alua(AluaConfig::default());
    for kind in [0, 1, 3, 5, 6, 7, 8] {
        let config = with(FrameConfig { personality: personality.clone(), ..frame() });
        let (rig, model) = reserved(config, kind);
        for nexus in [holder, registrant, stranger] {
            for row in TABLE.iter().chain(&ALUA_TABLE) {
                let completion = rig.send(nexus, LUN0, row.1, &[0; 512], 8192).completion;
                let conflict = completion.status == Status::ReservationConflict;
                assert_eq!(!conflict, model.lets(nexus, row.2), "type {kind}, {nexus}, {}", row.0);
            }
        }
    }
}
