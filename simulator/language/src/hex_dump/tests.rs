use proptest::prelude::*;

use super::*;

/// Four designators of nobody's LUN: 46 bytes with their header, which are not a multiple of 16.
const PAGE: [u8; 46] = [
    0x00, 0x83, 0x00, 0x2a, 0x01, 0x03, 0x00, 0x08, 0x50, 0x00, 0xd0, 0x23, 0x11, 0x22, 0xcb, 0x2b,
    0x61, 0x93, 0x00, 0x08, 0x50, 0x00, 0xd0, 0x23, 0x30, 0x11, 0xcb, 0x29, 0x61, 0x94, 0x00, 0x04,
    0x00, 0x00, 0x00, 0x01, 0x02, 0x01, 0x00, 0x06, b'S', b'A', b'N', b'S', b'I', b'M',
];

/// The page in the words of each tool, as the tool prints it.
const DUMPS: [(&str, &str); 19] = [
    (
        "sg_vpd --hex",
        "Only hex output supported\n 00     00 83 00 2a 01 03 00 08  50 00 d0 23 11 22 cb 2b    ...*....P..#.\"..\n 10     61 93 00 08 50 00 d0 23  30 11 cb 29 61 94 00 04    a...P..#0..)a...\n 20     00 00 00 01 02 01 00 06  53 41 4e 53 49 4d          ........SANSIM\n",
    ),
    (
        "sg_vpd -HHH",
        "00 83 00 2a 01 03 00 08 50 00 d0 23 11 22 cb 2b\n61 93 00 08 50 00 d0 23 30 11 cb 29 61 94 00 04\n00 00 00 01 02 01 00 06 53 41 4e 53 49 4d\n",
    ),
    (
        "hexdump -C",
        "00000000  00 83 00 2a 01 03 00 08  50 00 d0 23 11 22 cb 2b  |...*....P..#.\"..|\n00000010  61 93 00 08 50 00 d0 23  30 11 cb 29 61 94 00 04  |a...P..#0..)a...|\n00000020  00 00 00 01 02 01 00 06  53 41 4e 53 49 4d        |........SANSIM|\n0000002e\n",
    ),
    (
        "hexdump",
        "0000000 8300 2a00 0301 0800 0050 23d0 2211 2bcb\n0000010 9361 0800 0050 23d0 1130 29cb 9461 0400\n0000020 0000 0100 0102 0600 4153 534e 4d49     \n000002e\n",
    ),
    (
        "hexdump -b",
        "0000000 000 203 000 052 001 003 000 010 120 000 320 043 021 042 313 053\n0000010 141 223 000 010 120 000 320 043 060 021 313 051 141 224 000 004\n0000020 000 000 000 001 002 001 000 006 123 101 116 123 111 115        \n000002e\n",
    ),
    (
        "xxd",
        "00000000: 0083 002a 0103 0008 5000 d023 1122 cb2b  ...*....P..#.\"..\n00000010: 6193 0008 5000 d023 3011 cb29 6194 0004  a...P..#0..)a...\n00000020: 0000 0001 0201 0006 5341 4e53 494d       ........SANSIM\n",
    ),
    (
        "xxd -g1",
        "00000000: 00 83 00 2a 01 03 00 08 50 00 d0 23 11 22 cb 2b  ...*....P..#.\"..\n00000010: 61 93 00 08 50 00 d0 23 30 11 cb 29 61 94 00 04  a...P..#0..)a...\n00000020: 00 00 00 01 02 01 00 06 53 41 4e 53 49 4d        ........SANSIM\n",
    ),
    (
        "xxd -i",
        "unsigned char page_bin[] = {\n  0x00, 0x83, 0x00, 0x2a, 0x01, 0x03, 0x00, 0x08, 0x50, 0x00, 0xd0, 0x23,\n  0x11, 0x22, 0xcb, 0x2b, 0x61, 0x93, 0x00, 0x08, 0x50, 0x00, 0xd0, 0x23,\n  0x30, 0x11, 0xcb, 0x29, 0x61, 0x94, 0x00, 0x04, 0x00, 0x00, 0x00, 0x01,\n  0x02, 0x01, 0x00, 0x06, 0x53, 0x41, 0x4e, 0x53, 0x49, 0x4d\n};\nunsigned int page_bin_len = 46;\n",
    ),
    (
        "xxd -p",
        "0083002a010300085000d0231122cb2b619300085000d0233011cb296194\n00040000000102010006\n53414e53494d\n",
    ),
    (
        "od",
        "0000000 101400 025000 001401 004000 000120 021720 021021 025713\n0000020 111541 004000 000120 021720 010460 024713 112141 002000\n0000040 000000 000400 000402 003000 040523 051516 046511\n0000056\n",
    ),
    (
        "od -x",
        "0000000 8300 2a00 0301 0800 0050 23d0 2211 2bcb\n0000020 9361 0800 0050 23d0 1130 29cb 9461 0400\n0000040 0000 0100 0102 0600 4153 534e 4d49\n0000056\n",
    ),
    (
        "od -tx1",
        "0000000 00 83 00 2a 01 03 00 08 50 00 d0 23 11 22 cb 2b\n0000020 61 93 00 08 50 00 d0 23 30 11 cb 29 61 94 00 04\n0000040 00 00 00 01 02 01 00 06 53 41 4e 53 49 4d\n0000056\n",
    ),
    (
        "od -Ax -tx1z",
        "000000 00 83 00 2a 01 03 00 08 50 00 d0 23 11 22 cb 2b  >...*....P..#.\"..<\n000010 61 93 00 08 50 00 d0 23 30 11 cb 29 61 94 00 04  >a...P..#0..)a...<\n000020 00 00 00 01 02 01 00 06 53 41 4e 53 49 4d        >........SANSIM<\n00002e\n",
    ),
    (
        "od -Ad -tu1",
        "0000000   0 131   0  42   1   3   0   8  80   0 208  35  17  34 203  43\n0000016  97 147   0   8  80   0 208  35  48  17 203  41  97 148   0   4\n0000032   0   0   0   1   2   1   0   6  83  65  78  83  73  77\n0000046\n",
    ),
    (
        "od -An -tx1",
        " 00 83 00 2a 01 03 00 08 50 00 d0 23 11 22 cb 2b\n 61 93 00 08 50 00 d0 23 30 11 cb 29 61 94 00 04\n 00 00 00 01 02 01 00 06 53 41 4e 53 49 4d\n",
    ),
    (
        "od -An -x",
        " 8300 2a00 0301 0800 0050 23d0 2211 2bcb\n 9361 0800 0050 23d0 1130 29cb 9461 0400\n 0000 0100 0102 0600 4153 534e 4d49\n",
    ),
    (
        "od -b",
        "0000000 000 203 000 052 001 003 000 010 120 000 320 043 021 042 313 053\n0000020 141 223 000 010 120 000 320 043 060 021 313 051 141 224 000 004\n0000040 000 000 000 001 002 001 000 006 123 101 116 123 111 115\n0000056\n",
    ),
    (
        "od -c",
        "0000000  \\0 203  \\0   * 001 003  \\0  \\b   P  \\0 320   # 021   \" 313   +\n0000020   a 223  \\0  \\b   P  \\0 320   #   0 021 313   )   a 224  \\0 004\n0000040  \\0  \\0  \\0 001 002 001  \\0 006   S   A   N   S   I   M\n0000056\n",
    ),
    (
        "by hand",
        "# a page\n00-83-00-2a 01,03,00,08\n\n0x50 00d02311 22cb2b61 93 00 08 50 00 d0 23 30 11 cb 29\n61 94 00 04 00 00 00 01 02 01 00 06 53 41 4e 53 49 4d",
    ),
];

/// Whether these bytes are a page whose length field is right, as the reader of a page asks.
fn fits(bytes: &[u8]) -> bool {
    bytes.len() > 4 && bytes[1] == 0x83 && usize::from(bytes[3]) + 4 == bytes.len()
}

#[test]
fn what_each_tool_prints_is_read() {
    for (tool, dump) in DUMPS {
        assert_eq!(bytes(dump.as_bytes(), fits).as_deref(), Ok(&PAGE[..]), "{tool}");
        let dos = dump.replace('\n', "\r\n");
        assert_eq!(bytes(dos.as_bytes(), fits).as_deref(), Ok(&PAGE[..]), "{tool}, from Windows");
    }
}

#[test]
fn without_knowing_what_it_is_most_of_them_are_read_too() {
    for (tool, dump) in DUMPS.iter().filter(|(tool, _)| *tool != "od -An -x") {
        assert_eq!(bytes(dump.as_bytes(), |_| false).as_deref(), Ok(&PAGE[..]), "{tool}");
    }
}

#[test]
fn the_bytes_themselves_are_read() {
    assert_eq!(bytes(&PAGE, fits).as_deref(), Ok(&PAGE[..]));
    assert_eq!(bytes(&[0, 0xff, 0x80], |_| false), Ok(vec![0, 0xff, 0x80]));
}

#[test]
fn lines_that_are_left_out_are_repeated() {
    let dump = "00000000  00 c0 00 30 00 00 00 00  00 00 00 00 00 00 00 00  |...0............|\n00000010  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n*\n00000030  00 00 00 07                                       |....|\n00000034\n";
    let read = bytes(dump.as_bytes(), |_| false).unwrap();
    assert_eq!((read.len(), read[3], read[0x33]), (0x34, 0x30, 7));
    assert!(bytes(b"0000000 00 01\n*\n7777777\n", |_| false).is_err(), "bounded");
}

#[test]
fn an_odd_number_of_bytes_is_one() {
    let dump = "0000000 8300 0300 0102 0003\n0000007\n";
    assert_eq!(bytes(dump.as_bytes(), |_| false), Ok(vec![0, 0x83, 0, 3, 2, 1, 3]));
}

#[test]
fn a_first_byte_is_not_taken_for_an_offset() {
    assert_eq!(bytes(b"00 00 05", |_| false), Ok(vec![0, 0, 5]));
    assert_eq!(bytes(b"00\n01\n", |_| false), Ok(vec![0, 1]));
    assert_eq!(bytes(b"00000020 00010002", |read| read.len() == 8).map(|it| it.len()), Ok(8));
}

#[test]
fn a_slip_is_answered_with_its_line() {
    let slip = |text: &str| bytes(text.as_bytes(), |_| false);
    assert_eq!(slip("00 c9\n\n0g 01"), Err("line 3: `0g` is no byte in hexadecimal".into()));
    assert_eq!(slip("00 c9 0x"), Err("line 1: `0x` is no byte in hexadecimal".into()));
    let gap = " 00     00 c9 00 02\n 05     01 02\n";
    assert_eq!(slip(gap), Err("line 2: 4 bytes come before it".into()));
    assert!(slip(&"00 ".repeat(CapturedPage::MAX_BYTES + 1)).is_err());
}

proptest! {
    #[test]
    fn what_was_written_is_read_and_nothing_panics(
        written in prop::collection::vec(any::<u8>(), 0..80), garbage in ".*",
        raw in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        let dump: String = written.chunks(16).enumerate().map(|(line, bytes)| {
            let hex: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!(" {:02x}     {}    text\n", line * 16, hex.join(" "))
        }).collect();
        prop_assert_eq!(bytes(dump.as_bytes(), |_| false), Ok(written));
        let _ = bytes(garbage.as_bytes(), |_| false);
        let _ = bytes(&raw, |_| false);
    }
}
