//! The lines of a dump: an offset, bytes, and a text beside them.

/// How the lines of a dump begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offsets {
    /// With an offset in hexadecimal and a colon, as `xxd` writes it.
    Colon,
    /// With an offset of this radix: 16 for sg3_utils, `hexdump` and `od -Ax`, 8 for `od`, 10 for
    /// `od -Ad`.
    Radix(u32),
    /// With the first byte.
    None,
}

impl Offsets {
    /// In the order in which they are tried.
    pub(super) const ALL: [Offsets; 5] =
        [Offsets::Colon, Offsets::Radix(16), Offsets::Radix(8), Offsets::Radix(10), Offsets::None];
}

/// A line of a dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line<'l> {
    /// The offset in front.
    pub(super) offset: Option<usize>,
    /// The bytes, without the text beside them.
    pub(super) rest: &'l str,
}

/// The least number of digits of an offset behind which only one space follows: `od -Ax` has six.
const WIDE: usize = 6;
/// The least number of spaces between bytes and the text beside them: between bytes, there are one or two.
const GAP: &str = "   ";
/// As [`GAP`], behind an offset with a colon: xxd has two.
const GAP_OF_XXD: &str = "  ";

/// Splits a line. `first` says that no byte has been read yet, `padded` that words are padded with spaces,
/// so that no gap of spaces ends the bytes.
///
/// # Errors
/// If the line does not begin as the lines of such a dump do.
pub(super) fn split(
    line: &str,
    offsets: Offsets,
    first: bool,
    padded: bool,
) -> Result<Line<'_>, String> {
    let gap = match offsets {
        _ if padded => None,
        Offsets::Colon => Some(GAP_OF_XXD),
        Offsets::Radix(_) | Offsets::None => Some(GAP),
    };
    if offsets == Offsets::None {
        let line = if padded { line } else { line.trim_start() };
        let rest = without_text(line, gap);
        // One word, a gap, and more of them: the first one is an offset.
        let mut behind = line[rest.len()..].split_whitespace();
        let is_byte = |word: &str| word.len() == 2 && word.bytes().all(|it| it.is_ascii_hexdigit());
        if !rest.trim().contains(' ') && behind.next().is_some_and(is_byte) {
            return Err(format!("{rest} is no offset"));
        }
        return Ok(Line { offset: None, rest });
    }
    let trimmed = line.trim_start();
    let end = trimmed.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(trimmed.len());
    let (digits, rest) = trimmed.split_at(end);
    let no_offset = || format!("no offset begins this line: {digits}");
    let (radix, rest) = match offsets {
        Offsets::Colon => (16, rest.strip_prefix(':').ok_or_else(no_offset)?),
        Offsets::Radix(radix) => (radix, rest),
        Offsets::None => return Err(no_offset()),
    };
    let offset = usize::from_str_radix(digits, radix).map_err(|_| no_offset())?;
    let apart = rest.is_empty() || rest.starts_with("  ") || digits.len() >= WIDE;
    if offsets != Offsets::Colon && (!apart || !(rest.is_empty() || rest.starts_with([' ', '\t'])))
    {
        return Err(no_offset());
    }
    if first && rest.trim().is_empty() {
        return Err(no_offset());
    }
    let rest = match offsets {
        Offsets::Colon => without_text(rest.trim_start(), gap),
        _ => without_text(rest, gap),
    };
    Ok(Line { offset: Some(offset), rest })
}

/// The bytes of a line, without the text beside them: behind a `|` or a `>`, or behind a gap.
fn without_text<'l>(line: &'l str, gap: Option<&str>) -> &'l str {
    let start = line.len() - line.trim_start().len();
    let mut end = line.len();
    for mark in ["  |", "  >"].into_iter().chain(gap) {
        if let Some(at) = line[start..].find(mark) {
            end = end.min(start + at);
        }
    }
    &line[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_and_texts_are_taken_off() {
        let of = |line, offsets| {
            split(line, offsets, false, false).map(|it| (it.offset, it.rest.trim()))
        };
        let sg = " 10     00 c9 00 2c 76 61 63 31  81 01    ...,vac1..";
        let bytes = "00 c9 00 2c 76 61 63 31  81 01";
        assert_eq!(of(sg, Offsets::Radix(16)), Ok((Some(16), bytes)));
        assert_eq!(of("00000020: 00c9 002c  .... 12", Offsets::Colon), Ok((Some(32), "00c9 002c")));
        assert_eq!(of("0000020 00 c9  >..<", Offsets::Radix(8)), Ok((Some(16), "00 c9")));
        assert_eq!(of("00000010  00 c9  |..|", Offsets::Radix(16)), Ok((Some(16), "00 c9")));
        assert_eq!(of("000004c", Offsets::Radix(16)), Ok((Some(0x4c), "")));
        assert_eq!(of("00 c9 00 02", Offsets::None), Ok((None, "00 c9 00 02")));
        assert!(of("00 c9 00 02", Offsets::Radix(16)).is_err(), "a byte, and no offset");
        assert!(of("Vendor page:", Offsets::Colon).is_err());
    }
}
