//! Binary data in a JSON message.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Terminal input or output. In JSON each byte is the character with the same number, U+0000 to U+00FF, so
/// that a captured conversation is readable.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.iter().map(|&byte| char::from(byte)).collect::<String>())
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes: Result<Vec<u8>, _> = text.chars().map(u8::try_from).collect();
        bytes.map(Bytes).map_err(|_| D::Error::custom("a character stands for no byte"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{decode, encode};

    #[test]
    fn every_byte_survives_and_what_is_none_is_refused() {
        let bytes = Bytes((0..=255).collect());
        let line = encode(&bytes);
        assert_eq!(decode::<Bytes>(line.trim_ascii_end()).unwrap(), bytes);
        assert_eq!(encode(&Bytes(b"ls\n".to_vec())), b"\"ls\\n\"\n");
        assert!(decode::<Bytes>("\"\u{100}\"".as_bytes()).is_err());
    }
}
