//! The notation of paths.

use std::{fmt, str::FromStr};

use sansim_array::{HbaId, Nexus, PortId};

/// The paths through one port: from every HBA, or from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathPattern {
    /// The HBA; `None` matches any.
    pub hba: Option<HbaId>,
    /// The target port.
    pub port: PortId,
}

impl PathPattern {
    /// Whether the pattern matches paths of this nexus.
    pub fn matches(self, nexus: Nexus) -> bool {
        self.port == nexus.port && self.hba.is_none_or(|hba| hba == nexus.hba)
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.hba {
            Some(hba) => write!(f, "{hba}:{}", self.port),
            None => write!(f, "{}", self.port),
        }
    }
}

impl FromStr for PathPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("{text:?} is not a path: write a port (`A0`) or an HBA and a port (`hba0:A0`)")
        };
        let (hba, port) = match text.split_once(':') {
            Some((hba, port)) => {
                let number = hba.strip_prefix("hba").and_then(|n| n.parse().ok());
                (Some(HbaId(number.ok_or_else(wrong)?)), port)
            }
            None => (None, text),
        };
        Ok(PathPattern { hba, port: port.parse().map_err(|_| wrong())? })
    }
}
