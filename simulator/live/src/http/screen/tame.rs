//! Numbers in control sequences, kept small: `ESC [ 65535 b` repeats a character so often, and a
//! screen that is sent many of these has no time for anything else.

/// The digits of a number: no screen is larger.
const DIGITS: u8 = 3;
/// The digits of a number after `?`, which names a mode: 1049, 2004.
const DIGITS_OF_MODE: u8 = 4;

/// Where in a control sequence the last output has ended.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Tame {
    /// In none.
    #[default]
    Text,
    /// After ESC.
    Escape,
    /// After `ESC [`.
    Sequence { most: u8, digits: u8 },
}

impl Tame {
    /// Output without the digits that are too many.
    pub(super) fn tame(&mut self, output: &[u8]) -> Vec<u8> {
        output.iter().copied().filter(|byte| self.may_pass(*byte)).collect()
    }

    fn may_pass(&mut self, byte: u8) -> bool {
        let begin = Tame::Sequence { most: DIGITS, digits: 0 };
        *self = match (*self, byte) {
            (_, 0x1b) => Tame::Escape,
            (Tame::Escape, b'[') => begin,
            (Tame::Sequence { most, digits }, b'0'..=b'9') => {
                let digits = if byte == b'0' && digits == 0 { 0 } else { digits + 1 };
                if digits > most {
                    return false;
                }
                Tame::Sequence { most, digits }
            }
            (Tame::Sequence { .. }, b'?') => Tame::Sequence { most: DIGITS_OF_MODE, digits: 0 },
            (Tame::Sequence { most, .. }, b':' | b';') => Tame::Sequence { most, digits: 0 },
            // These end everything that has begun.
            (_, 0x18 | 0x1a) => Tame::Text,
            // Other control characters take effect in the middle of a sequence.
            (state, ..0x20 | 0x7f) => state,
            (Tame::Sequence { .. }, 0x40..) | (Tame::Escape | Tame::Text, _) => Tame::Text,
            (state @ Tame::Sequence { .. }, _) => state,
        };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_cut_wherever_they_are() {
        for (output, tame) in [
            ("12345 \x1b[12345b67890", "12345 \x1b[123b67890"),
            ("\x1b[?2004h\x1b[?10490l", "\x1b[?2004h\x1b[?1049l"),
            ("\x1b[38;2;255;000255;1234m", "\x1b[38;2;255;000255;123m"),
            ("\x1b[12\n3\x7f45b", "\x1b[12\n3\x7fb"),
            ("\x1b\x1b[1234\x1b[5678H12345", "\x1b\x1b[123\x1b[567H12345"),
            ("\x1b[1\x1812345\x1bM12345", "\x1b[1\x1812345\x1bM12345"),
            ("\x1b]0;12345\x07", "\x1b]0;12345\x07"),
        ] {
            assert_eq!(Tame::default().tame(output.as_bytes()), tame.as_bytes(), "{output:?}");
            let mut state = Tame::default();
            let bytes = output.bytes().flat_map(|byte| state.tame(&[byte]));
            assert_eq!(bytes.collect::<Vec<_>>(), tame.as_bytes(), "{output:?}, in pieces");
        }
    }
}
