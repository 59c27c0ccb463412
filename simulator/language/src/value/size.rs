//! Sizes: `256MiB`, `4KiB`.

use std::{fmt, str::FromStr};

use super::split_number;
use crate::form::Kind;

/// A size in a scenario, in bytes: a whole number and a binary unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

/// The units with their numbers of bytes, largest first.
const UNITS: [(&str, u64); 5] =
    [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, unit) = split_number(text);
        if unit.is_empty() && number.parse::<u64>().is_ok() {
            return Err(format!("{text:?} has no unit: write \"{number}MiB\" or \"{number}B\""));
        }
        let near = UNITS.iter().find(|(name, _)| {
            let letter = name[..1].to_ascii_lowercase();
            *name != "B" && unit.to_ascii_lowercase().starts_with(&letter)
        });
        let Some((_, bytes)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(match near {
                Some((name, _)) => format!("sizes are binary: write \"{number}{name}\""),
                None => format!("{text:?} is not a size: write {}", Self::EXPECTED),
            });
        };
        let number: u64 = number
            .parse()
            .map_err(|_| format!("{text:?} is not a size: write a whole number and a unit"))?;
        let bytes = number.checked_mul(*bytes).filter(|bytes| *bytes <= 1 << 50);
        bytes.map(Size).ok_or_else(|| format!("{text:?} is out of range: at most 1024TiB"))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |bytes: &u64| self.0 >= *bytes && self.0.is_multiple_of(*bytes);
        match UNITS.iter().find(|(_, bytes)| fits(bytes)) {
            Some((unit, bytes)) => write!(f, "{}{unit}", self.0 / bytes),
            None => f.write_str("0B"),
        }
    }
}

impl Kind for Size {
    const NAME: &'static str = "Size";
    const EXPECTED: &'static str = "a size with its unit in quotes, such as \"4KiB\" or \"256MiB\"";
    const PATTERN: &'static str = "^[0-9]+ ?(B|KiB|MiB|GiB|TiB)$";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_back_what_they_print() {
        for text in ["0B", "512B", "4KiB", "1536KiB", "256MiB", "1GiB", "2TiB"] {
            assert_eq!(text.parse::<Size>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn decimal_units_and_bare_numbers_are_refused_with_advice() {
        assert_eq!("256MB".parse::<Size>().unwrap_err(), "sizes are binary: write \"256MiB\"");
        assert!("4096".parse::<Size>().unwrap_err().contains("\"4096B\""));
        for text in ["", "MiB", "-1MiB", "1.5GiB", "2000TiB", "99999999999999999999B"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }
}
