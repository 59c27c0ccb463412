//! Sense data (SPC-4 4.5).

use std::{fmt, str::FromStr};

/// A sense key, an additional sense code and its qualifier, optionally with a pointer to the
/// invalid field of the CDB or parameter list. Written `05/94/01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sense {
    /// The sense key, 0 to 0Fh.
    pub key: u8,
    /// The additional sense code (ASC).
    pub asc: u8,
    /// The additional sense code qualifier (ASCQ).
    pub ascq: u8,
    /// What is said beyond the codes.
    detail: Option<Detail>,
    form: SenseForm,
}

/// The format of sense data (SPC-4 4.5.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum SenseForm {
    /// Fixed format, current error. The default of every array.
    #[default]
    Fixed,
    /// Descriptor format, current error.
    Descriptor,
    /// Fixed format, deferred error: the error belongs to an earlier command.
    DeferredFixed,
    /// Descriptor format, deferred error.
    DeferredDescriptor,
    /// Fixed format with an additional length of 0, as some faulty firmware sends it. ASC and ASCQ
    /// are present, but the initiator ignores them.
    NoLength,
}

/// What sense data says beyond its codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Detail {
    /// The invalid field, for ILLEGAL REQUEST (SPC-4 4.5.2.4.2): its byte offset in the CDB.
    Cdb(u16),
    /// The same: its byte offset in the parameter list.
    Parameter(u16),
    /// The INFORMATION field (SPC-4 4.5.2.2), whose meaning the command defines.
    Information(u32),
}

impl Sense {
    /// The most bytes of sense data: a header and an INFORMATION descriptor.
    pub const MAX: usize = 20;

    pub(crate) const NO_SENSE: Sense = Sense::new(0x00, 0x00, 0x00);
    pub(crate) const NOT_READY_MANUAL: Sense = Sense::new(0x02, 0x04, 0x03);
    pub(crate) const BECOMING_READY: Sense = Sense::new(0x02, 0x04, 0x01);
    pub(crate) const NOT_STARTED: Sense = Sense::new(0x02, 0x04, 0x02);
    pub(crate) const COMMAND_SEQUENCE: Sense = Sense::new(0x05, 0x2c, 0x00);
    pub(crate) const MISCOMPARE: Sense = Sense::new(0x0e, 0x1d, 0x00);
    pub(crate) const PARAMETER_LIST_LENGTH: Sense = Sense::new(0x05, 0x1a, 0x00);
    pub(crate) const INVALID_OPCODE: Sense = Sense::new(0x05, 0x20, 0x00);
    pub(crate) const LBA_OUT_OF_RANGE: Sense = Sense::new(0x05, 0x21, 0x00);
    pub(crate) const INVALID_FIELD_IN_CDB: Sense = Sense::new(0x05, 0x24, 0x00);
    pub(crate) const LUN_NOT_SUPPORTED: Sense = Sense::new(0x05, 0x25, 0x00);
    pub(crate) const INVALID_FIELD_IN_PARAMETERS: Sense = Sense::new(0x05, 0x26, 0x00);
    pub(crate) const PORT_GROUPS_NOT_SET: Sense = Sense::new(0x04, 0x67, 0x0a);
    pub(crate) const INVALID_RELEASE: Sense = Sense::new(0x05, 0x26, 0x04);
    pub(crate) const SAVING_NOT_SUPPORTED: Sense = Sense::new(0x05, 0x39, 0x00);
    pub(crate) const NO_ROOM_TO_REGISTER: Sense = Sense::new(0x05, 0x55, 0x04);
    pub(crate) const WRITE_ERROR: Sense = Sense::new(0x03, 0x0c, 0x00);
    pub(crate) const SPACE_ALLOCATION_FAILED: Sense = Sense::new(0x07, 0x27, 0x07);
    pub(crate) const WRITE_PROTECTED: Sense = Sense::new(0x07, 0x27, 0x00);
    pub(crate) const POWER_ON: Sense = Sense::new(0x06, 0x29, 0x00);
    pub(crate) const DEVICE_RESET: Sense = Sense::new(0x06, 0x29, 0x03);
    pub(crate) const NEXUS_LOSS: Sense = Sense::new(0x06, 0x29, 0x07);
    pub(crate) const MODE_PARAMETERS_CHANGED: Sense = Sense::new(0x06, 0x2a, 0x01);
    pub(crate) const RESERVATIONS_PREEMPTED: Sense = Sense::new(0x06, 0x2a, 0x03);
    pub(crate) const RESERVATIONS_RELEASED: Sense = Sense::new(0x06, 0x2a, 0x04);
    pub(crate) const REGISTRATIONS_PREEMPTED: Sense = Sense::new(0x06, 0x2a, 0x05);
    pub(crate) const ACCESS_STATE_CHANGED: Sense = Sense::new(0x06, 0x2a, 0x06);
    pub(crate) const IMPLICIT_TRANSITION_FAILED: Sense = Sense::new(0x06, 0x2a, 0x07);
    pub(crate) const CAPACITY_CHANGED: Sense = Sense::new(0x06, 0x2a, 0x09);
    pub(crate) const COMMANDS_CLEARED: Sense = Sense::new(0x06, 0x2f, 0x00);
    /// THIN PROVISIONING SOFT THRESHOLD REACHED.
    pub(crate) const SOFT_THRESHOLD: Sense = Sense::new(0x06, 0x38, 0x07);
    pub(crate) const INQUIRY_DATA_CHANGED: Sense = Sense::new(0x06, 0x3f, 0x03);
    pub(crate) const LUNS_CHANGED: Sense = Sense::new(0x06, 0x3f, 0x0e);

    /// Creates sense without a field pointer. Only the low four bits of `key` are used.
    pub const fn new(key: u8, asc: u8, ascq: u8) -> Self {
        Sense { key: key & 0x0f, asc, ascq, detail: None, form: SenseForm::Fixed }
    }

    /// INVALID FIELD IN CDB, with a pointer to this byte.
    pub(crate) const fn cdb_field(byte: u16) -> Self {
        Sense { detail: Some(Detail::Cdb(byte)), ..Sense::INVALID_FIELD_IN_CDB }
    }

    /// INVALID FIELD IN PARAMETER LIST, with a pointer to this byte.
    pub(crate) const fn parameter_field(byte: u16) -> Self {
        Sense { detail: Some(Detail::Parameter(byte)), ..Sense::INVALID_FIELD_IN_PARAMETERS }
    }

    /// The same sense with a value in its INFORMATION field.
    pub(crate) const fn with_information(self, value: u32) -> Self {
        Sense { detail: Some(Detail::Information(value)), ..self }
    }

    /// Whether the sense key is UNIT ATTENTION.
    pub fn is_unit_attention(&self) -> bool {
        self.key == Sense::POWER_ON.key
    }

    /// Whether the command that gets this sense has been carried out: RECOVERED ERROR (SPC-4 4.5.6), unless the error
    /// belongs to an earlier command (4.5.7).
    pub fn is_of_success(&self) -> bool {
        let current =
            !matches!(self.form, SenseForm::DeferredFixed | SenseForm::DeferredDescriptor);
        self.key == 0x01 && current
    }

    /// Returns the same sense in another format.
    pub fn with_form(self, form: SenseForm) -> Sense {
        Sense { form, ..self }
    }

    /// The format in which the sense data is sent.
    pub fn form(&self) -> SenseForm {
        self.form
    }

    /// Encodes the sense in its format. Returns the bytes and how many of them are valid.
    pub fn to_bytes(&self) -> ([u8; Sense::MAX], usize) {
        let (mut bytes, len) = match self.form {
            SenseForm::Fixed | SenseForm::DeferredFixed | SenseForm::NoLength => {
                let (mut bytes, fixed) = ([0; Sense::MAX], self.to_fixed());
                bytes[..fixed.len()].copy_from_slice(&fixed);
                (bytes, fixed.len())
            }
            SenseForm::Descriptor | SenseForm::DeferredDescriptor => self.to_descriptor(),
        };
        match self.form {
            SenseForm::DeferredFixed | SenseForm::DeferredDescriptor => bytes[0] |= 0x01,
            SenseForm::NoLength => bytes[7] = 0,
            SenseForm::Fixed | SenseForm::Descriptor => {}
        }
        (bytes, len)
    }

    /// Whether the sense key, ASC and ASCQ are equal. Ignores field pointers and formats.
    pub fn same_code(&self, other: &Sense) -> bool {
        (self.key, self.asc, self.ascq) == (other.key, other.asc, other.ascq)
    }

    /// Encodes the sense in fixed format as a current error: 18 bytes with an additional length of
    /// 10 (SPC-4 4.5.3). With a length below 6, Linux would read ASC and ASCQ as 00/00
    /// (scsi_normalize_sense).
    pub fn to_fixed(&self) -> [u8; 18] {
        let mut bytes = [0; 18];
        bytes[0] = 0x70;
        bytes[2] = self.key;
        bytes[7] = 10;
        bytes[12] = self.asc;
        bytes[13] = self.ascq;
        match self.detail {
            Some(Detail::Cdb(at)) => bytes[15..].copy_from_slice(&field_pointer(0xc0, at)),
            Some(Detail::Parameter(at)) => bytes[15..].copy_from_slice(&field_pointer(0x80, at)),
            Some(Detail::Information(value)) => {
                bytes[0] |= 0x80; // VALID.
                bytes[3..7].copy_from_slice(&value.to_be_bytes());
            }
            None => {}
        }
        bytes
    }

    /// Descriptor format, current error (SPC-4 4.5.2): 8 bytes and a descriptor, if there is one.
    /// Returns the bytes and how many of them are valid.
    pub(crate) fn to_descriptor(self) -> ([u8; Sense::MAX], usize) {
        let mut bytes = [0; Sense::MAX];
        bytes[..4].copy_from_slice(&[0x72, self.key, self.asc, self.ascq]);
        let pointer = match self.detail {
            None => return (bytes, 8),
            Some(Detail::Information(value)) => {
                bytes[7] = 12;
                bytes[8..11].copy_from_slice(&[0x00, 0x0a, 0x80]);
                bytes[16..20].copy_from_slice(&value.to_be_bytes());
                return (bytes, 20);
            }
            Some(Detail::Cdb(at)) => field_pointer(0xc0, at),
            Some(Detail::Parameter(at)) => field_pointer(0x80, at),
        };
        bytes[7] = 8;
        bytes[8..10].copy_from_slice(&[0x02, 0x06]);
        bytes[12..15].copy_from_slice(&pointer);
        (bytes, 16)
    }
}

/// Sense key specific data of ILLEGAL REQUEST (SPC-4 4.5.2.4.2): flags and the byte's offset.
fn field_pointer(flags: u8, at: u16) -> [u8; 3] {
    let [high, low] = at.to_be_bytes();
    [flags, high, low]
}

impl fmt::Display for Sense {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x}/{:02x}/{:02x}", self.key, self.asc, self.ascq)
    }
}

/// The error for a text that is not a sense in the form `05/94/01`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not sense data: a key up to 0f, a code and a qualifier in hex, like `05/94/01`")]
pub struct ParseSenseError(String);

impl FromStr for Sense {
    type Err = ParseSenseError;

    fn from_str(text: &str) -> Result<Self, ParseSenseError> {
        let error = || ParseSenseError(text.into());
        let byte = |part: &str| match part.len() {
            1 | 2 if part.bytes().all(|c| c.is_ascii_hexdigit()) => {
                u8::from_str_radix(part, 16).map_err(|_| error())
            }
            _ => Err(error()),
        };
        let mut parts = text.split('/');
        let (Some(key), Some(asc), Some(ascq), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(error());
        };
        match byte(key)? {
            key @ 0..=0x0f => Ok(Sense::new(key, byte(asc)?, byte(ascq)?)),
            _ => Err(error()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_format_has_18_bytes_and_says_so() {
        let sense = Sense::new(5, 0x94, 1).to_fixed();
        assert_eq!(sense, [0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x94, 1, 0, 0, 0, 0]);
        assert_eq!(Sense::cdb_field(0x102).to_fixed()[12..], [0x24, 0, 0, 0xc0, 1, 2]);
        let information = Sense::MISCOMPARE.with_information(0x0102).to_fixed();
        assert_eq!(information[..8], [0xf0, 0, 0x0e, 0, 0, 1, 2, 10]);
    }

    #[test]
    fn descriptor_format_has_a_descriptor_for_the_field() {
        let (bytes, len) = Sense::parameter_field(7).to_descriptor();
        assert_eq!(bytes[..len], [0x72, 5, 0x26, 0, 0, 0, 0, 8, 2, 6, 0, 0, 0x80, 0, 7, 0]);
        assert_eq!(Sense::POWER_ON.to_descriptor().1, 8);
        let (bytes, len) = Sense::MISCOMPARE.with_information(0x0102).to_descriptor();
        let header = [0x72, 0x0e, 0x1d, 0, 0, 0, 0, 12];
        assert_eq!(bytes[..8], header);
        assert_eq!(bytes[8..len], [0, 0x0a, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2]);
    }

    #[test]
    fn sense_has_other_forms() {
        let sense = Sense::new(6, 0x29, 0);
        let first = |form| sense.with_form(form).to_bytes();
        let (bytes, len) = first(SenseForm::Fixed);
        assert_eq!(bytes[..len], sense.to_fixed());
        let (bytes, len) = first(SenseForm::DeferredDescriptor);
        assert_eq!(bytes[..len], [0x73, 6, 0x29, 0, 0, 0, 0, 0]);
        assert_eq!(first(SenseForm::DeferredFixed).0[0], 0x71);
        let (bytes, len) = first(SenseForm::NoLength);
        assert_eq!((len, bytes[7], bytes[12]), (18, 0, 0x29));
        assert!(sense.same_code(&sense.with_form(SenseForm::Descriptor)));
    }

    #[test]
    fn text_goes_both_ways() {
        let sense: Sense = "05/94/01".parse().unwrap();
        assert_eq!((sense.key, sense.asc, sense.ascq), (5, 0x94, 1));
        assert_eq!(sense.to_string(), "05/94/01");
        assert_eq!("6/8b/2".parse::<Sense>().unwrap().to_string(), "06/8b/02");
        for bad in ["", "05/94", "05/94/01/00", "10/00/00", "05/94/+1", "05/94/001", "5/9g/1"] {
            assert!(bad.parse::<Sense>().is_err(), "{bad:?}");
        }
    }
}
