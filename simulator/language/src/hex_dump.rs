//! Parses hexadecimal dumps in the formats of sg3-utils and xxd, or written by hand.

use sansim_array::CapturedPage;

/// The minimum run of spaces between the bytes and the text column.
const GAP: &str = "   ";

/// The bytes of a dump. Lines may begin with an offset and end with a text column. Titles before
/// the first byte, empty lines and lines that begin with `#` are skipped.
///
/// # Errors
/// The number of the line, from 1, and what is wrong with it.
pub(super) fn bytes(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let at = |why: String| format!("line {}: {why}", number + 1);
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let rest = after_offset(line, bytes.len());
        let (hex, _) = rest.split_once(GAP).unwrap_or((rest, ""));
        match read(hex) {
            Ok(read) => bytes.extend(read),
            Err(word) if bytes.is_empty() && hex.trim_start().starts_with(word) => {}
            Err(word) => return Err(at(format!("`{word}` is no byte in hexadecimal"))),
        }
        if bytes.len() > CapturedPage::MAX_BYTES {
            return Err(at(format!("there are more than {} bytes", CapturedPage::MAX_BYTES)));
        }
    }
    Ok(bytes)
}

/// The line without its offset. An offset is the number of the preceding bytes, followed by a colon
/// or by more than one space.
fn after_offset(line: &str, so_far: usize) -> &str {
    let end = line.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(line.len());
    let (number, rest) = line.split_at(end);
    let offset = usize::from_str_radix(number, 16).ok() == Some(so_far);
    match rest.strip_prefix(':') {
        Some(rest) if offset => rest.trim_start(),
        None if offset && rest.starts_with("  ") => rest.trim_start(),
        _ => line,
    }
}

/// Parses words of two digits, or of several pairs of digits without spaces.
fn read(words: &str) -> Result<Vec<u8>, &str> {
    let mut bytes = Vec::new();
    for word in words.split([' ', '\t', '-', ',']).filter(|word| !word.is_empty()) {
        let digits = word.strip_prefix("0x").unwrap_or(word);
        let pairs = !digits.is_empty() && digits.len().is_multiple_of(2);
        if !pairs || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(word);
        }
        for pair in digits.as_bytes().chunks(2) {
            let pair = std::str::from_utf8(pair).map_err(|_| word)?;
            bytes.push(u8::from_str_radix(pair, 16).map_err(|_| word)?);
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_sg_vpd_prints_is_read() {
        let dump = "\
Vendor specific page, one that only LSI knows:
 00     00 c9 00 2c 76 61 63 31  81 01 00 00 00 00 00 00    ...,vac1........
 10     00 00 00 00 ff                                      .....
";
        let read = bytes(dump).unwrap();
        assert_eq!(read.len(), 21);
        assert_eq!((read[1], read[8], read[20]), (0xc9, 0x81, 0xff));
    }

    #[test]
    fn plain_hex_and_that_of_xxd_are_read() {
        for dump in ["00 c9 00 02 01 02", "00c900020102", "0x00,0xc9,0x00,0x02,0x01,0x02"] {
            assert_eq!(bytes(dump), Ok(vec![0, 0xc9, 0, 2, 1, 2]), "{dump}");
        }
        let xxd =
            "00000000: 00c9 0002 0102 7661 6331 ff00 0000 0000   ......vac1......\n00000010: 07";
        assert_eq!(bytes(xxd).unwrap()[15..], [0, 7]);
    }

    #[test]
    fn a_first_byte_is_not_taken_for_an_offset() {
        assert_eq!(bytes("00 00 05"), Ok(vec![0, 0, 5]));
        assert_eq!(bytes("00\n01\n"), Ok(vec![0, 1]));
    }

    #[test]
    fn a_slip_is_answered_with_its_line() {
        assert_eq!(bytes("00 c9\n\n0g 01"), Err("line 3: `0g` is no byte in hexadecimal".into()));
        assert_eq!(bytes("00 c9 0x"), Err("line 1: `0x` is no byte in hexadecimal".into()));
        assert!(bytes(&"00 ".repeat(CapturedPage::MAX_BYTES + 1)).is_err());
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_and_nothing_panics(
            written in prop::collection::vec(any::<u8>(), 0..80), garbage in ".*",
        ) {
            let dump: String = written.chunks(16).enumerate().map(|(line, bytes)| {
                let hex: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                format!(" {:02x}     {}    text\n", line * 16, hex.join(" "))
            }).collect();
            prop_assert_eq!(bytes(&dump), Ok(written));
            let _ = bytes(&garbage);
        }
    }
}
