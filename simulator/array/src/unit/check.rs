//! Validation of LUN configurations.

use crate::{error::ConfigError, ids::Lun, lun_config::LunConfig};

impl LunConfig {
    /// Checks the configuration for an array with this number of controllers and this highest LUN.
    pub(crate) fn check(&self, controllers: usize, max_lun: u16) -> Result<(), ConfigError> {
        let lun = self.lun;
        if lun.0 > max_lun {
            return Err(ConfigError::LunNumber { lun, max: max_lun });
        }
        for controller in [self.owner, self.preferred].into_iter().chain(self.partner) {
            if controller.index() >= controllers {
                return Err(ConfigError::NoController { lun, controller });
            }
        }
        if !matches!(self.block_bytes, 512 | 4096) {
            return Err(ConfigError::BlockLength { lun, block_bytes: self.block_bytes });
        }
        if self.label.encode_utf16().count() > 30 {
            let (text, wanted) = (self.label.clone(), "at most 30 UTF-16 units");
            return Err(ConfigError::Text { what: "the label of a LUN", text, wanted });
        }
        check_size(lun, self.bytes, self.block_bytes)
    }
}

/// Checks a size against the block length and the maximum.
pub(crate) fn check_size(lun: Lun, bytes: u64, block_bytes: u32) -> Result<(), ConfigError> {
    if bytes == 0 || !bytes.is_multiple_of(block_bytes.into()) {
        return Err(ConfigError::PartialBlock { lun, bytes, block_bytes });
    }
    if bytes > LunConfig::MAX_BYTES {
        return Err(ConfigError::TooLarge { lun, bytes });
    }
    Ok(())
}
