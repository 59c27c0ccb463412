//! What the words of a dump stand for.

use super::lines::Offsets;

/// How a word of a dump is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// A pair of hexadecimal digits: `00 83`.
    Byte,
    /// Pairs of hexadecimal digits, in the order of the bytes: `00 83`, `0083`, `0x00,0x83`.
    Bytes,
    /// A number in hexadecimal of so many bytes, in the byte order of a PC: `od -x`, `hexdump`.
    Hex(usize),
    /// A number in octal of so many bytes, with this many digits: `od -b`, `od`.
    Octal(usize, usize),
    /// A number in decimal of so many bytes: `od -tu1`, `od -d`. It may be signed.
    Decimal(usize),
    /// Characters in columns of four, as `od -c` writes them.
    Characters,
}

impl Unit {
    /// In the order in which they are tried.
    pub(super) const ALL: [Unit; 12] = [
        Unit::Byte,
        Unit::Bytes,
        Unit::Hex(2),
        Unit::Hex(4),
        Unit::Hex(8),
        Unit::Octal(1, 3),
        Unit::Octal(2, 6),
        Unit::Octal(4, 11),
        Unit::Decimal(1),
        Unit::Decimal(2),
        Unit::Decimal(4),
        Unit::Characters,
    ];

    /// Whether words of this kind are looked for behind such offsets. Behind an offset without a colon,
    /// words of several bytes are numbers of a PC; without offsets nothing tells long decimal numbers from
    /// bytes.
    pub(super) fn goes_with(self, offsets: Offsets) -> bool {
        match (self, offsets) {
            (Unit::Byte, _) => matches!(offsets, Offsets::Radix(_)),
            (Unit::Bytes, _) => !matches!(offsets, Offsets::Radix(_)),
            (Unit::Decimal(len), Offsets::None) => len == 1,
            _ => true,
        }
    }

    /// Whether words are padded with spaces to the width of the longest.
    pub(super) fn is_padded(self) -> bool {
        matches!(self, Unit::Decimal(_) | Unit::Characters)
    }

    /// The number of bytes of a word.
    pub(super) fn len(self) -> usize {
        match self {
            Unit::Byte | Unit::Bytes | Unit::Characters => 1,
            Unit::Hex(len) | Unit::Octal(len, _) | Unit::Decimal(len) => len,
        }
    }

    /// The bytes of a line.
    ///
    /// # Errors
    /// The word that is none.
    pub(super) fn read(self, line: &str) -> Result<Vec<u8>, String> {
        if self == Unit::Characters {
            return characters(line);
        }
        let mut bytes = Vec::new();
        let words = line.split([' ', '\t', '-', ',']).filter(|word| !word.is_empty());
        let signed = line.split([' ', '\t']).filter(|word| !word.is_empty());
        let words: Vec<&str> = match self {
            Unit::Decimal(_) => signed.collect(),
            _ => words.collect(),
        };
        for word in words {
            let read = match self {
                Unit::Byte if word.len() == 2 => pairs(word),
                Unit::Bytes => pairs(word),
                Unit::Hex(len) => number(word, 16, 2 * len, len),
                Unit::Octal(len, digits) => number(word, 8, digits, len),
                Unit::Decimal(len) => decimal(word, len),
                Unit::Byte | Unit::Characters => None,
            };
            bytes.extend(read.ok_or_else(|| word.to_owned())?);
        }
        Ok(bytes)
    }
}

fn pairs(word: &str) -> Option<Vec<u8>> {
    let digits = word.strip_prefix("0x").unwrap_or(word);
    let whole = !digits.is_empty() && digits.len().is_multiple_of(2);
    if !whole || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect()
}

/// A number of exactly so many digits, as `len` bytes of a PC.
fn number(word: &str, radix: u32, digits: usize, len: usize) -> Option<Vec<u8>> {
    let number = (word.len() == digits).then(|| u64::from_str_radix(word, radix).ok()).flatten()?;
    let bytes = number.to_le_bytes();
    bytes[len..].iter().all(|byte| *byte == 0).then(|| bytes[..len].to_vec())
}

fn decimal(word: &str, len: usize) -> Option<Vec<u8>> {
    let number: i64 = word.parse().ok()?;
    let bits = 8 * len as u32;
    let fits = number >= -(1_i64 << (bits - 1)) && number < 1_i64 << bits;
    fits.then(|| number.to_le_bytes()[..len].to_vec())
}

/// Columns of four characters: a printable one, an escape such as `\0`, or three octal digits.
fn characters(line: &str) -> Result<Vec<u8>, String> {
    let columns = line.as_bytes().chunks(4);
    columns.map(|column| character(column).ok_or_else(|| text(column))).collect()
}

fn text(column: &[u8]) -> String {
    String::from_utf8_lossy(column).trim().to_owned()
}

fn character(column: &[u8]) -> Option<u8> {
    let [b' ', word @ ..] = column else { return None };
    match word {
        [b' ', b' ', byte] => Some(*byte),
        [b' ', b'\\', escape] => match escape {
            b'0' => Some(0),
            b'a' => Some(7),
            b'b' => Some(8),
            b't' => Some(9),
            b'n' => Some(10),
            b'v' => Some(11),
            b'f' => Some(12),
            b'r' => Some(13),
            b'\\' => Some(b'\\'),
            _ => None,
        },
        [b'0'..=b'7', _, _] => u8::from_str_radix(std::str::from_utf8(word).ok()?, 8).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_bytes_in_pairs_or_numbers_of_a_pc() {
        let read = |unit: Unit, line| unit.read(line).unwrap();
        assert_eq!(read(Unit::Bytes, "00 c9 0x02-03,0405"), [0, 0xc9, 2, 3, 4, 5]);
        assert_eq!(read(Unit::Hex(2), " c900 0200"), [0, 0xc9, 0, 2]);
        assert_eq!(read(Unit::Hex(4), "0200c900"), [0, 0xc9, 0, 2]);
        assert_eq!(read(Unit::Octal(1, 3), "000 311"), [0, 0xc9]);
        assert_eq!(read(Unit::Octal(2, 6), "144400"), [0, 0xc9]);
        assert_eq!(read(Unit::Decimal(1), "   0 201 -55"), [0, 0xc9, 0xc9]);
        assert_eq!(read(Unit::Characters, "  \\0 311   A  \\n    "), [0, 0xc9, b'A', 10, b' ']);
        assert_eq!(Unit::Bytes.read("00 0g"), Err("0g".into()));
        assert_eq!(Unit::Octal(1, 3).read("777"), Err("777".into()));
        assert_eq!(Unit::Hex(2).read("c9"), Err("c9".into()));
    }
}
