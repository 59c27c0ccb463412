//! The vendor-specific part of a CLARiiON's standard INQUIRY data. Linux reads the model from it
//! and derives the form of the trespass (emc:parse_sp_model).

use crate::{encoding::put_text, error::ConfigError};

/// The form of the standard INQUIRY data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InquiryForm {
    /// 36 bytes, without a model. Linux assumes an old array and sends short trespasses.
    Short,
    /// With the serial number and this model: 1 to 16 printable ASCII characters. If the model
    /// begins with `FC`, Linux sends short trespasses, otherwise long ones.
    Model(String),
}

/// Offsets of the model's length and of the serial number's length. Both texts follow the latter.
const MODEL_LEN: usize = 99;
const SERIAL_LEN: usize = 160;
/// The total length in bytes. It exceeds what the serial number and the model need, because Linux
/// writes a NUL after the model.
const LEN: usize = 200;

impl InquiryForm {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let InquiryForm::Model(model) = self else { return Ok(()) };
        let printable = model.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
        if printable && (1..=16).contains(&model.len()) {
            return Ok(());
        }
        let wanted = "1 to 16 printable ASCII characters";
        Err(ConfigError::Text { what: "the model", text: model.clone(), wanted })
    }

    /// Appends the vendor-specific part to the standard INQUIRY data.
    pub(super) fn put(&self, serial: &str, data: &mut Vec<u8>) {
        let InquiryForm::Model(model) = self else { return data.truncate(36) };
        data.resize(LEN, 0);
        data[MODEL_LEN] = model.len() as u8;
        data[SERIAL_LEN] = serial.len() as u8;
        let texts = &mut data[SERIAL_LEN + 1..];
        put_text(&mut texts[..serial.len()], serial);
        put_text(&mut texts[serial.len()..][..model.len()], model);
    }
}
