//! The array answers arbitrary commands, and never returns more data than the buffer can hold.

use proptest::prelude::*;

use crate::{
    Lun, OPERATIONS, ServiceResponse, Status,
    testing::{A, B, Bytes, LUN0, LUN1, Rig, TEST_UNIT_READY, config},
};

/// An almost valid CDB: usually a known operation code, followed by arbitrary bytes. Small bytes
/// are more frequent, because such CDBs pass more checks.
fn cdb() -> impl Strategy<Value = Vec<u8>> {
    let byte = || prop_oneof![2 => Just(0), 2 => 0..8_u8, 1 => any::<u8>()];
    let opcode = prop_oneof![
        8 => (0..OPERATIONS.len()).prop_map(|at| OPERATIONS[at].opcode),
        1 => any::<u8>(),
    ];
    (opcode, any::<u8>(), prop::collection::vec(byte(), 0..40)).prop_map(
        |(opcode, action, rest)| {
            let mut cdb = [&[opcode], &rest[..]].concat();
            let known = OPERATIONS.iter().filter(|op| op.opcode == opcode);
            let actions: Vec<_> = known.filter_map(|op| op.service_action).collect();
            if let (Some(byte), false) = (cdb.get_mut(1), actions.is_empty()) {
                *byte = actions[usize::from(action) % actions.len()];
            }
            cdb
        },
    )
}

/// An almost valid parameter list: possibly a page that the array supports, surrounded by arbitrary
/// bytes.
fn data_out() -> impl Strategy<Value = Vec<u8>> {
    let anything = prop::collection::vec(prop_oneof![3 => Just(0), 1 => any::<u8>()], 0..600);
    let header = proptest::sample::select(vec![4_usize, 8]);
    let page = proptest::sample::select(vec![
        vec![0x2c, 0x68],
        vec![0x6c, 0x01, 0x01, 0x28],
        vec![0x08, 0x12],
        vec![0x8a, 0x0a],
        vec![0x1c, 0x0a],
    ]);
    (anything, header, proptest::option::of(page)).prop_map(|(mut data, at, page)| {
        if let Some(page) = page
            && let Some(place) = data.get_mut(at..at + page.len())
        {
            place.copy_from_slice(&page);
        }
        data
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn anything_is_answered_within_its_bounds(
        cdb in cdb(),
        data_out in data_out(),
        room in 0..3000_usize,
        lun in 0..3_u16,
        peer in any::<bool>(),
        broken in proptest::bool::weighted(0.05),
    ) {
        let rig = Rig::new(config()).settled();
        let before = [LUN0, LUN1].map(|lun| rig.array.owner(lun));
        let (nexus, lun) = (if peer { B } else { A }, Lun(lun));
        let mut buffers = Bytes { broken, ..Bytes::new(room, &data_out) };
        let command = crate::Command { nexus, lun, tag: 0, cdb: &cdb };
        let now = crate::testing::at(1);
        let completion = match rig.array.submit(now, &command, &mut buffers) {
            crate::Disposition::Complete(completion) => completion,
            crate::Disposition::Transfer(it) => rig.array.transfer(now, it, &mut buffers),
            crate::Disposition::Parked(..) => panic!("there is no rule"),
        };

        prop_assert!(buffers.data_in.len() <= room);
        let used = buffers.data_in.len() + buffers.taken;
        prop_assert_eq!(completion.residual as usize, room + data_out.len() - used);
        let check = completion.status == Status::CheckCondition;
        prop_assert_eq!(completion.sense.is_some(), check);
        let delivered = completion.response == ServiceResponse::Ok;
        prop_assert!(delivered || completion.status == Status::Good);
        prop_assert!(!check || buffers.data_in.is_empty());

        let good = delivered && completion.status == Status::Good;
        let select = matches!(cdb[0], 0x15 | 0x55);
        let after = [LUN0, LUN1].map(|lun| rig.array.owner(lun));
        prop_assert!(after == before || good && select);
        prop_assert_eq!(rig.records().len(), 1);
        prop_assert_eq!(rig.records()[0].completion, completion);
        // The array still serves this nexus, which holds any reservation that the command may have
        // made.
        rig.get(nexus, LUN0, &TEST_UNIT_READY, 0);
    }
}
