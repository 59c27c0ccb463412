//! Parses hexadecimal dumps in the formats of sg3-utils, xxd and `hexdump -C`, or written by hand.

use sansim_array::CapturedPage;

/// What precedes the text column: in the format of sg3-utils, which has two spaces in the middle of the bytes; in that
/// of xxd, whose offsets end with a colon; and in that of `hexdump -C`.
const GAP: &str = "   ";
const GAP_OF_XXD: &str = "  ";
const GAP_OF_HEXDUMP: &str = "  |";

/// The bytes of a dump. Lines may begin with an offset and end with a text column. Titles before
/// the first byte, empty lines and lines that begin with `#` are skipped.
///
/// # Errors
/// The number of the line, from 1, and what is wrong with it.
pub(super) fn bytes(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut of_hexdump = false;
    for (number, line) in text.lines().enumerate() {
        let at = |why: String| format!("line {}: {why}", number + 1);
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if of_hexdump && is_offset(line, bytes.len()) {
            // `hexdump -C` ends with the number of all bytes.
            continue;
        }
        of_hexdump |= line.ends_with('|');
        let hex = columns(line, bytes.len());
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

/// The line without its offset and its text column. An offset is the number of the preceding bytes, followed by a
/// colon or by more than one space.
fn columns(line: &str, so_far: usize) -> &str {
    let end = line.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(line.len());
    let (number, rest) = line.split_at(end);
    let offset = is_offset(number, so_far);
    let (rest, gap) = match rest.strip_prefix(':') {
        Some(rest) if offset => (rest.trim_start(), GAP_OF_XXD),
        None if offset && rest.starts_with("  ") => (rest.trim_start(), GAP),
        _ => (line, GAP),
    };
    let before = |gap| rest.find(gap).unwrap_or(rest.len());
    &rest[..before(gap).min(before(GAP_OF_HEXDUMP))]
}

fn is_offset(number: &str, so_far: usize) -> bool {
    usize::from_str_radix(number, 16).ok() == Some(so_far)
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
    fn plain_hex_and_that_of_xxd_and_hexdump_are_read() {
        for dump in ["00 c9 00 02 01 02", "00c900020102", "0x00,0xc9,0x00,0x02,0x01,0x02"] {
            assert_eq!(bytes(dump), Ok(vec![0, 0xc9, 0, 2, 1, 2]), "{dump}");
        }
        let xxd = "\
00000000: 00c9 0002 0102 7661 6331 ff00 0000 0000  ......vac1......
00000010: 07                                       .
";
        assert_eq!(bytes(xxd).unwrap()[15..], [0, 7]);
        let hexdump = "\
00000000  00 c9 00 02 01 02 76 61  63 31 ff 00 00 00 00 00  |......vac1......|
00000010  07                                                |.|
00000011
";
        assert_eq!(bytes(hexdump).unwrap()[15..], [0, 7]);
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
}
