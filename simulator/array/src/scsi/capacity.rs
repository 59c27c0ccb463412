//! READ CAPACITY (SBC-3 5.15, 5.16).

use crate::{
    completion::Stop,
    encoding::{be32, be64},
    sense::Sense,
    unit::Unit,
    wire::Wire,
};

/// READ CAPACITY(10): the last LBA, or all ones if it does not fit into 32 bits.
pub(crate) fn read_capacity_10(unit: &Unit, cdb: &[u8], wire: &mut Wire<'_>) -> Result<(), Stop> {
    let partial = cdb[8] & 0x01 != 0;
    if !partial && be32(cdb, 2) != 0 {
        return Err(Sense::cdb_field(2).into());
    }
    let last = u32::try_from(unit.blocks - 1).unwrap_or(u32::MAX);
    let mut data = [0; 8];
    data[..4].copy_from_slice(&last.to_be_bytes());
    data[4..].copy_from_slice(&unit.block_bytes.to_be_bytes());
    wire.send(&data, data.len())
}

/// READ CAPACITY(16). The LUN is thin-provisioned, and unmapped blocks read as zeros.
pub(crate) fn read_capacity_16(unit: &Unit, cdb: &[u8], wire: &mut Wire<'_>) -> Result<(), Stop> {
    let partial = cdb[14] & 0x01 != 0;
    if !partial && be64(cdb, 2) != 0 {
        return Err(Sense::cdb_field(2).into());
    }
    let mut data = [0; 32];
    data[..8].copy_from_slice(&(unit.blocks - 1).to_be_bytes());
    data[8..12].copy_from_slice(&unit.block_bytes.to_be_bytes());
    data[14] = 0xc0; // LBPME: thin provisioning is enabled. LBPRZ: unmapped blocks read as zeros.
    wire.send(&data, be32(cdb, 10) as usize)
}

#[cfg(test)]
mod tests {
    use crate::{ArrayConfig, testing::*};

    const CAPACITY_16: [u8; 16] = [0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0];
    const CAPACITY_10: [u8; 10] = [0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    #[test]
    fn both_tell_the_last_block_and_the_block_length_on_every_path() {
        let rig = Rig::ready();
        for nexus in [A, B] {
            assert_eq!(rig.get(nexus, LUN0, &CAPACITY_10, 8), [0, 0, 7, 0xff, 0, 0, 2, 0]);
            assert_eq!(rig.get(nexus, LUN1, &CAPACITY_10, 8), [0, 0, 0, 0xff, 0, 0, 16, 0]);
            let data = rig.get(nexus, LUN1, &CAPACITY_16, 32);
            assert_eq!(data[..16], [0, 0, 0, 0, 0, 0, 0, 0xff, 0, 0, 16, 0, 0, 0, 0xc0, 0]);
            assert_eq!(data[16..], [0; 16]);
        }
    }

    #[test]
    fn what_32_bits_cannot_count_reads_as_all_ones() {
        let ArrayConfig { mut luns, .. } = config();
        luns[0].bytes = 4 << 40;
        let rig = Rig::new(ArrayConfig { luns, ..config() }).settled();
        assert_eq!(rig.get(A, LUN0, &CAPACITY_10, 8), [0xff, 0xff, 0xff, 0xff, 0, 0, 2, 0]);
        assert_eq!(rig.get(A, LUN0, &CAPACITY_16, 32)[..8], [0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff]);
    }

    #[test]
    fn an_lba_without_pmi_is_refused() {
        let rig = Rig::ready();
        let mut cdb = CAPACITY_10;
        cdb[5] = 1;
        assert_eq!(rig.sense(A, LUN0, &cdb, &[]), "05/24/00");
        cdb[8] = 1;
        assert_eq!(rig.get(A, LUN0, &cdb, 8)[..4], [0, 0, 7, 0xff]);
        let mut cdb = CAPACITY_16;
        cdb[9] = 1;
        assert_eq!(rig.sense(A, LUN0, &cdb, &[]), "05/24/00");
    }
}
