//! Reads dumps of bytes as people paste them: those of sg3_utils, `hexdump`, `xxd` and `od` in their many
//! forms, hexadecimal written by hand, and the bytes themselves.
//!
//! No dump says what it is. It is read in every way that its lines allow, and the offsets in front of its
//! lines decide: each is the number of bytes before. Where several ways are left, whoever knows what the
//! bytes should be chooses.

mod lines;
mod units;

use lines::{Line, Offsets};
use sansim_array::CapturedPage;
use units::Unit;

/// The bytes of a dump. Titles before the first byte, empty lines, lines that begin with `#` and text
/// beside the bytes are skipped. If the dump can be read in several ways, the first that `fits` is taken,
/// or else the most usual one.
///
/// # Errors
/// The number of the line, from 1, and what is wrong with it.
pub fn bytes(raw: &[u8], fits: impl Fn(&[u8]) -> bool) -> Result<Vec<u8>, String> {
    let Some(text) = text(raw) else { return bounded(raw.to_vec()) };
    let text = in_braces(text).unwrap_or(text);
    // The first reading, and the mistake that is furthest down.
    let (mut usual, mut wrong): (Option<Vec<u8>>, Option<Mistake>) = (None, None);
    for offsets in Offsets::ALL {
        for unit in Unit::ALL.into_iter().filter(|unit| unit.goes_with(offsets)) {
            match read(text, offsets, unit) {
                Ok(bytes) if fits(&bytes) => return bounded(bytes),
                Ok(bytes) => usual = usual.or(Some(bytes).filter(|bytes| !bytes.is_empty())),
                Err(mistake) => {
                    if wrong.as_ref().is_none_or(|wrong| wrong.line < mistake.line) {
                        wrong = Some(mistake);
                    }
                }
            }
        }
    }
    match (usual, wrong) {
        (Some(bytes), _) => bounded(bytes),
        (None, Some(Mistake { line, why })) => Err(format!("line {line}: {why}")),
        (None, None) => Ok(Vec::new()),
    }
}

/// A mistake in a line, which is counted from 1.
struct Mistake {
    line: usize,
    why: String,
}

fn bounded(bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    if bytes.len() <= CapturedPage::MAX_BYTES {
        return Ok(bytes);
    }
    Err(format!("there are more than {} bytes", CapturedPage::MAX_BYTES))
}

/// The text of a dump; `None` if these are the bytes themselves. The pages of a disk begin with a byte
/// that no text has.
fn text(raw: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(raw).ok()?;
    let strange = |c: char| c.is_control() && !c.is_whitespace();
    (!text.contains(strange)).then_some(text)
}

/// What is between the braces of an array in C, as `xxd -i` writes it.
fn in_braces(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once('{')?;
    Some(rest.split_once('}')?.0)
}

/// The bytes, if each line's offset is the number of bytes before it.
fn read(text: &str, offsets: Offsets, unit: Unit) -> Result<Vec<u8>, Mistake> {
    let mut bytes: Vec<u8> = Vec::new();
    let (mut last, mut repeats, mut ended) = (0, false, false);
    for (number, line) in text.lines().enumerate() {
        let at = |why: String| Mistake { line: number + 1, why };
        let line = line.trim_end();
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        if line.trim() == "*" && offsets != Offsets::None {
            repeats = true;
            continue;
        }
        let Line { offset, rest } =
            match lines::split(line, offsets, bytes.is_empty(), unit.is_padded()) {
                Ok(line) => line,
                Err(_) if bytes.is_empty() && Unit::Bytes.read(line).is_err() => continue, // A title.
                Err(why) => return Err(at(why)),
            };
        if let Some(offset) = offset {
            if std::mem::take(&mut repeats) {
                repeat(&mut bytes, last, offset).map_err(at)?;
            }
            // The last word of an odd number of bytes has one too many; the offset behind it tells.
            if rest.trim().is_empty() && offset < bytes.len() && bytes.len() - offset < unit.len() {
                bytes.truncate(offset);
            }
            if ended || offset != bytes.len() {
                return Err(at(format!("{} bytes come before it", bytes.len())));
            }
            ended = rest.trim().is_empty();
        }
        let before = bytes.len();
        match unit.read(rest) {
            Ok(read) => bytes.extend(read),
            Err(word) if before == 0 && offset.is_none() && is_title(rest, &word) => continue,
            Err(word) => return Err(at(format!("`{word}` is no byte in hexadecimal"))),
        }
        if bytes.len() > CapturedPage::MAX_BYTES + 1 {
            return Err(at(format!("there are more than {} bytes", CapturedPage::MAX_BYTES)));
        }
        last = bytes.len() - before;
    }
    Ok(bytes)
}

/// Whether a line that has no byte where one is expected is a title.
fn is_title(line: &str, word: &str) -> bool {
    line.trim_start().starts_with(word)
}

/// Repeats the last line up to an offset, which `*` stands for.
fn repeat(bytes: &mut Vec<u8>, line: usize, offset: usize) -> Result<(), String> {
    let start = bytes.len() - line;
    if line == 0 || offset < bytes.len() || offset > CapturedPage::MAX_BYTES {
        return Err("`*` stands for no lines here".to_owned());
    }
    while bytes.len() < offset {
        let byte = bytes[start + (bytes.len() - start) % line];
        bytes.push(byte);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
