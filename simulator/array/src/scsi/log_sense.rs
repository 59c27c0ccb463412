//! LOG SENSE (SPC-4 6.7): the log pages of an array that is well.

use crate::{completion::Stop, encoding::be16, sense::Sense, wire::Wire};

const ALL_SUBPAGES: u8 = 0xff;
/// FORMAT AND LINKING of a parameter: a binary list (SPC-4 7.3.2.2.2).
const BINARY_LIST: u8 = 0x03;
/// In degrees Celsius: what it is, and what it must not exceed.
const TEMPERATURE: u8 = 30;
const REFERENCE_TEMPERATURE: u8 = 65;

/// A parameter of a log page: its code and its value.
type Parameter = (u16, &'static [u8]);

/// The log pages, apart from those that list them: codes and parameters.
const PAGES: [(u8, &[Parameter]); 2] = [
    // Temperature (SPC-4 7.3.21).
    (0x0d, &[(0, &[0, TEMPERATURE]), (1, &[0, REFERENCE_TEMPERATURE])]),
    // Informational exceptions (SPC-4 7.3.8): ASC and ASCQ 0, and the temperature.
    (0x2f, &[(0, &[0, 0, TEMPERATURE, 0])]),
];

/// The values are the same, whichever of them PC asks for: they are neither counted nor settable.
pub(crate) fn log_sense(cdb: &[u8], wire: &mut Wire<'_>) -> Result<(), Stop> {
    if cdb[1] & 0x01 != 0 {
        // SP: nothing is saved.
        return Err(Sense::cdb_field(1).into());
    }
    let (code, subpage, from) = (cdb[2] & 0x3f, cdb[3], be16(cdb, 5));
    let body = match (code, subpage) {
        (0, 0) => codes().collect(),
        (0, ALL_SUBPAGES) => codes().flat_map(|code| [code, 0]).collect(),
        (code, 0) => parameters(code, from)?,
        _ => return Err(Sense::cdb_field(3).into()),
    };
    if code == 0 && from != 0 {
        return Err(Sense::cdb_field(5).into());
    }
    let with_subpage = u8::from(subpage != 0) << 6;
    let mut data = vec![with_subpage | code, subpage];
    data.extend((body.len() as u16).to_be_bytes());
    data.extend(body);
    wire.send(&data, be16(cdb, 7).into())
}

/// The codes of all pages, in ascending order.
fn codes() -> impl Iterator<Item = u8> {
    std::iter::once(0).chain(PAGES.iter().map(|page| page.0))
}

/// The parameters of a page, from a parameter code on.
fn parameters(code: u8, from: u16) -> Result<Vec<u8>, Sense> {
    let page = PAGES.iter().find(|page| page.0 == code).ok_or(Sense::cdb_field(2))?;
    let asked: Vec<&Parameter> = page.1.iter().filter(|parameter| parameter.0 >= from).collect();
    if asked.is_empty() {
        return Err(Sense::cdb_field(5));
    }
    let encoded = asked.into_iter().flat_map(|(code, value)| {
        [&code.to_be_bytes()[..], &[BINARY_LIST, value.len() as u8], value].concat()
    });
    Ok(encoded.collect())
}

#[cfg(test)]
mod tests {
    use crate::testing::*;

    fn log_sense(page: u8, subpage: u8, from: u8) -> [u8; 10] {
        [0x4d, 0, 0x40 | page, subpage, 0, 0, from, 0, 255, 0]
    }

    #[test]
    fn the_pages_are_listed_and_there() {
        let rig = Rig::ready();
        let get = |cdb: [u8; 10]| rig.get(A, LUN0, &cdb, 255);
        assert_eq!(get(log_sense(0, 0, 0)), [0, 0, 0, 3, 0, 0x0d, 0x2f]);
        let with_subpages = [0x40, 0xff, 0, 6, 0, 0, 0x0d, 0, 0x2f, 0];
        assert_eq!(get(log_sense(0, 0xff, 0)), with_subpages);
        let temperature = [0x0d, 0, 0, 12, 0, 0, 3, 2, 0, 30, 0, 1, 3, 2, 0, 65];
        assert_eq!(get(log_sense(0x0d, 0, 0)), temperature);
        assert_eq!(get(log_sense(0x0d, 0, 1)), [0x0d, 0, 0, 6, 0, 1, 3, 2, 0, 65]);
        assert_eq!(get(log_sense(0x2f, 0, 0)), [0x2f, 0, 0, 8, 0, 0, 3, 4, 0, 0, 30, 0]);
    }

    #[test]
    fn what_is_not_there_is_refused() {
        let rig = Rig::ready();
        let [saved, page, subpage, parameter, list] = [
            [0x4d, 1, 0, 0, 0, 0, 0, 0, 255, 0],
            log_sense(0x02, 0, 0),
            log_sense(0x0d, 1, 0),
            log_sense(0x0d, 0, 2),
            log_sense(0, 0, 1),
        ];
        for cdb in [saved, page, subpage, parameter, list] {
            assert_eq!(rig.sense(A, LUN0, &cdb, &[]), "05/24/00", "{cdb:x?}");
        }
    }
}
