//! The identity of an array.

use crate::error::ConfigError;

/// How an array identifies itself in INQUIRY data and VPD pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// T10 vendor identification: at most 8 printable ASCII characters.
    pub vendor: String,
    /// Product identification: at most 16 printable ASCII characters.
    pub product: String,
    /// Product revision level: at most 4 printable ASCII characters.
    pub revision: String,
    /// The serial number of the array: 1 to 16 printable ASCII characters. LUN names derive from
    /// it.
    pub serial: String,
    /// The user-assigned name of the array: at most 30 UTF-16 code units.
    pub name: String,
    /// The company identifier (OUI) in the names of the LUNs; `None` for that of the personality.
    pub oui: Option<[u8; 3]>,
    /// What VPD page 83h has beside the name of the LUN.
    pub designators: Vec<DesignatorKind>,
}

/// A designator that VPD page 83h can have beside the NAA name of the LUN (SPC-4 7.8.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DesignatorKind {
    /// T10 vendor identification, followed by the name of the LUN in hexadecimal.
    T10,
    /// EUI-64, from the company identifier and the end of the name.
    Eui64,
    /// SCSI name string: `naa.` and the name.
    ScsiName,
    /// The name of the target port: NAA type 5, as a Fibre Channel port has it (WWPN).
    PortName,
}

impl Identity {
    /// An identity with a default serial number and a default name.
    pub(crate) fn new(vendor: &str, product: &str, revision: &str) -> Self {
        Identity {
            vendor: vendor.into(),
            product: product.into(),
            revision: revision.into(),
            serial: "SANSIM0001".into(),
            name: "sansim".into(),
            oui: None,
            designators: Vec::new(),
        }
    }

    /// Vendor and product, as people name an array: `IBM 2145`.
    pub fn vendor_and_product(&self) -> String {
        format!("{} {}", self.vendor, self.product)
    }

    /// Refuses a text that does not fit its field or is not printable ASCII (SPC-4 4.3.1).
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
