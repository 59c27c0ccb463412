//! What an array calls itself.

use crate::error::ConfigError;

/// What an array calls itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// T10 vendor identification: at most 8 printable ASCII characters.
    pub vendor: String,
    /// Product identification: at most 16 printable ASCII characters.
    pub product: String,
    /// Product revision level: at most 4 printable ASCII characters.
    pub revision: String,
    /// The array's serial number: 1 to 16 printable ASCII characters. LUN identifiers derive from it.
    pub serial: String,
    /// The name its operator gave it: at most 30 UTF-16 units.
    pub name: String,
}

impl Identity {
    /// An array of this kind, with a serial number and a name.
    pub(crate) fn new(vendor: &str, product: &str, revision: &str) -> Self {
        Identity {
            vendor: vendor.into(),
            product: product.into(),
            revision: revision.into(),
            serial: "SANSIM0001".into(),
            name: "sansim".into(),
        }
    }

    /// Refuses text that does not fit its field (SPC-4 4.3.1: printable ASCII).
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let fields = [
            ("the vendor", &self.vendor, 1..=8, "1 to 8 printable ASCII characters"),
            ("the product", &self.product, 1..=16, "1 to 16 printable ASCII characters"),
            ("the revision", &self.revision, 0..=4, "at most 4 printable ASCII characters"),
            ("the serial number", &self.serial, 1..=16, "1 to 16 printable ASCII characters"),
        ];
        for (what, text, len, wanted) in fields {
            let printable = text.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
            if !printable || !len.contains(&text.len()) {
                return Err(ConfigError::Text { what, text: text.clone(), wanted });
            }
        }
        if self.name.encode_utf16().count() > 30 {
            let (text, wanted) = (self.name.clone(), "at most 30 UTF-16 units");
            return Err(ConfigError::Text { what: "the array's name", text, wanted });
        }
        Ok(())
    }
}
