//! SEND DIAGNOSTIC and RECEIVE DIAGNOSTIC RESULTS (SPC-4 6.42, 6.32). Every self-test passes at once, and
//! the only diagnostic page is the list of them.

use crate::{completion::Stop, encoding::be16, sense::Sense, wire::Wire};

/// SELFTEST: the default self-test.
const SELF_TEST: u8 = 0x04;
/// The codes of the other self-tests, and of "abort background self-test" (SPC-4 table 270).
const SELF_TESTS: [u8; 5] = [1, 2, 4, 5, 6];
/// The supported diagnostic pages page, which lists only itself.
const SUPPORTED: [u8; 5] = [0, 0, 0, 1, 0];

/// A page that is sent prepares the answer of RECEIVE DIAGNOSTIC RESULTS: there is only one.
pub(crate) fn send_diagnostic(cdb: &[u8], wire: &mut Wire<'_>) -> Result<(), Stop> {
    let (code, len) = (cdb[1] >> 5, be16(cdb, 3));
    match (code, cdb[1] & SELF_TEST != 0) {
        (0, true) if len == 0 => Ok(()),
        (code, false) if SELF_TESTS.contains(&code) && len == 0 => Ok(()),
        (0, false) => {
            let list = wire.receive(len)?;
            match list.first() {
                None | Some(0) => Ok(()),
                Some(_) => Err(Sense::parameter_field(0).into()),
            }
        }
        _ => Err(Sense::cdb_field(1).into()),
    }
}

pub(crate) fn receive_diagnostic(cdb: &[u8], wire: &mut Wire<'_>) -> Result<(), Stop> {
    // PCV: the page code is valid. Otherwise the page that was sent last is meant, which is the same.
    if cdb[1] & 0x01 != 0 && cdb[2] != 0 {
        return Err(Sense::cdb_field(2).into());
    }
    wire.send(&SUPPORTED, be16(cdb, 3).into())
}

#[cfg(test)]
mod tests {
    use crate::testing::*;

    #[test]
    fn self_tests_pass_and_what_is_no_self_test_is_refused() {
        let rig = Rig::ready();
        for first in [0x04, 0x20, 0x40, 0x80, 0xa0, 0xc0, 0x10] {
            rig.good(A, LUN0, &[0x1d, first, 0, 0, 0, 0]);
        }
        for first in [0x24, 0x60, 0xe0] {
            assert_eq!(rig.sense(A, LUN0, &[0x1d, first, 0, 0, 0, 0], &[]), "05/24/00");
        }
    }

    #[test]
    fn the_only_page_is_the_list_of_pages() {
        let rig = Rig::ready();
        rig.put(A, LUN0, &[0x1d, 0x10, 0, 0, 4, 0], &[0, 0, 0, 0]);
        for cdb in [[0x1c, 0, 0, 0, 64, 0], [0x1c, 1, 0, 0, 64, 0]] {
            assert_eq!(rig.get(A, LUN0, &cdb, 64), [0, 0, 0, 1, 0]);
        }
        assert_eq!(rig.sense(A, LUN0, &[0x1c, 1, 0x40, 0, 64, 0], &[]), "05/24/00");
        assert_eq!(rig.sense(A, LUN0, &[0x1d, 0x10, 0, 0, 4, 0], &[0x40, 0, 0, 0]), "05/26/00");
    }
}
