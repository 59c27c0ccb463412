//! The bounds of a package's two headers, checked before the crate reads them: it takes memory for as many values as
//! an entry announces, and looks for them where the entry says (RPM V4 package format, section Header).

/// Size of the lead, in bytes.
const LEAD: usize = 96;
/// The magic number and version of a header.
const MAGIC: [u8; 4] = [0x8e, 0xad, 0xe8, 0x01];
/// Sizes in bytes of a header's beginning, and of an entry of its index.
const BEGINNING: usize = 16;
const ENTRY: usize = 16;
/// Most entries, and most bytes of data, of a header, as in rpm (HEADER_TAGS_MAX, HEADER_DATA_MAX).
const MOST_ENTRIES: usize = 0xffff;
const MOST_DATA: usize = 256 << 20;
/// The signature header is padded to a multiple of this.
const PADDED: usize = 8;

/// Checks both headers of a package.
///
/// # Errors
/// A sentence that says what is wrong.
pub(super) fn check(package: &[u8]) -> Result<(), String> {
    let cut = || "it is no RPM package, or is cut short".to_owned();
    let rest = package.get(LEAD..).ok_or_else(cut)?;
    let signature = size(rest)?;
    let rest = rest.get(signature.next_multiple_of(PADDED)..).ok_or_else(cut)?;
    size(rest).map(drop)
}

/// Checks a header, and returns its size in bytes.
fn size(bytes: &[u8]) -> Result<usize, String> {
    let bad = || "it is no RPM package, or is damaged".to_owned();
    let number = |at: usize| {
        let field = bytes.get(at..at + 4).ok_or_else(bad)?;
        Ok::<_, String>(u32::from_be_bytes([field[0], field[1], field[2], field[3]]) as usize)
    };
    if !bytes.starts_with(&MAGIC) {
        return Err(bad());
    }
    let (entries, data) = (number(8)?, number(12)?);
    if entries > MOST_ENTRIES || data > MOST_DATA {
        return Err("its header is too large".to_owned());
    }
    let begins = BEGINNING + entries * ENTRY;
    let store = bytes.get(begins..begins + data).ok_or_else(bad)?;
    for entry in 0..entries {
        let at = BEGINNING + entry * ENTRY;
        let (kind, offset, count) = (number(at + 4)?, number(at + 8)?, number(at + 12)?);
        if !holds(store, kind, offset, count) {
            return Err(bad());
        }
    }
    Ok(begins + data)
}

/// Whether the data of an entry is in the store.
fn holds(store: &[u8], kind: usize, offset: usize, count: usize) -> bool {
    let Some(rest) = store.get(offset..) else { return false };
    let fits = |width: usize| count.checked_mul(width).is_some_and(|bytes| bytes <= rest.len());
    match kind {
        0 => true,
        1 | 2 | 7 => fits(1),
        3 => fits(2),
        4 => fits(4),
        5 => fits(8),
        // A string, an array of strings, and translations of one.
        6 => rest.contains(&0),
        8 | 9 => {
            count <= rest.len() && rest.iter().filter(|b| **b == 0).take(count).count() == count
        }
        _ => false,
    }
}
