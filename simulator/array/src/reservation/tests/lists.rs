//! Invalid CDBs and parameter lists, and REPORT CAPABILITIES.

use super::*;

#[test]
fn what_is_supported_is_told() {
    let rig = rig();
    let ask = || rig.get(A, LUN0, &persistent_in(REPORT_CAPABILITIES), 64);
    assert_eq!(ask(), [0, 8, 0x1d, 0xb0, 0xea, 0x01, 0, 0]);
    rig.put(A, LUN0, &persistent_out(REGISTER, 0, 24), &persistent_list(0, 1, 0x01));
    assert_eq!(ask()[3], 0xb1, "and whether it outlives the loss of power");
}

#[test]
fn lists_of_a_wrong_length_are_refused() {
    let rig = rig();
    let list = [&persistent_list(0, 1, 0)[..], &[0; 8]].concat();
    for len in [0, 1, 23, 25, 28] {
        let sense = rig.sense(A, LUN0, &persistent_out(REGISTER, 0, len), &list);
        assert_eq!(sense, "05/1a/00", "{len} bytes");
    }
    let endless = [0x5f, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0];
    assert_eq!(rig.sense(A, LUN0, &endless, &list), "05/1a/00");
    let cut = [&persistent_list(0, 1, 0x08)[..], &[0, 0, 0, 24], &[0; 8]].concat();
    assert_eq!(rig.sense(A, LUN0, &persistent_out(REGISTER, 0, 36), &cut), "05/1a/00");
    assert_eq!(keys(&rig), (0, vec![]));
}

#[test]
fn types_scopes_and_flags_that_make_no_sense_are_refused() {
    let rig = rig();
    good(&rig, A, REGISTER, 0, 0, 0xa);
    let list = persistent_list(0xa, 0xa, 0);
    for kind in [0, 2, 4, 9, 0x0f, 0x11, 0x21] {
        for action in [RESERVE, RELEASE, PREEMPT, PREEMPT_AND_ABORT] {
            assert_eq!(rig.sense(A, LUN0, &persistent_out(action, kind, 24), &list), "05/24/00");
        }
    }
    for action in [RESERVE, RELEASE, CLEAR, PREEMPT, REGISTER_AND_IGNORE] {
        let list = persistent_list(0xa, 0xa, 0x08);
        assert_eq!(rig.sense(A, LUN0, &persistent_out(action, 1, 24), &list), "05/26/00");
    }
    for action in 8..32 {
        assert_eq!(rig.sense(A, LUN0, &persistent_out(action, 1, 24), &list), "05/24/00");
    }
    assert_eq!(rig.sense(A, LUN0, &persistent_in(4), &[]), "05/24/00");
    assert_eq!((keys(&rig), reservation(&rig)), ((1, vec![0xa]), None));
}

#[test]
fn the_reply_is_cut_to_the_allocation_length() {
    let rig = rig();
    good(&rig, A, REGISTER, 0, 0, 0xa);
    let short = [0x5e, READ_KEYS, 0, 0, 0, 0, 0, 0, 8, 0];
    assert_eq!(
        rig.get(A, LUN0, &short, 8),
        [0, 0, 0, 1, 0, 0, 0, 8],
        "the length is the whole one"
    );
}
