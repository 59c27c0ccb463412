//! Lines on the wire: encoding messages, and reassembling lines from the pieces that reads return.

use serde::{Serialize, de::DeserializeOwned};

/// Longest line that either side accepts, in bytes. A longer line is an error; the buffer does not grow
/// further.
pub const MAX_LINE: usize = 1 << 20;

/// Why a line was rejected.
#[derive(Debug)]
pub enum FrameError {
    /// More than [`MAX_LINE`] bytes without a newline.
    TooLong,
    /// Not a message of this protocol. The text says where and why.
    Malformed(String),
}

impl std::fmt::Display for FrameError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            FrameError::TooLong => write!(f, "a message is longer than {MAX_LINE} bytes"),
            FrameError::Malformed(why) => write!(f, "a message cannot be read: {why}"),
        }
    }
}

impl std::error::Error for FrameError {}

/// Encodes a message as one line, with its newline.
///
/// # Panics
/// Never: every message of this crate has string keys and finite numbers.
pub fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    let mut line = serde_json::to_vec(message).expect("a message of this crate is plain data");
    line.push(b'\n');
    line
}

/// Collects bytes and returns complete messages.
#[derive(Debug, Default)]
pub struct LineBuffer {
    bytes: Vec<u8>,
    /// How many bytes were already searched for a newline.
    searched: usize,
}

impl LineBuffer {
    /// Appends bytes that were read.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next complete message, if there is one. An error consumes the offending line, so the caller can
    /// continue.
    #[expect(clippy::should_implement_trait, reason = "each call may want another type")]
    pub fn next<T: DeserializeOwned>(&mut self) -> Option<Result<T, FrameError>> {
        self.next_line().map(|line| decode(&line?))
    }

    /// The next complete line that is not empty, without its newline and surrounding blanks.
    pub fn next_line(&mut self) -> Option<Result<Vec<u8>, FrameError>> {
        loop {
            let Some(end) = self.bytes[self.searched..].iter().position(|b| *b == b'\n') else {
                self.searched = self.bytes.len();
                if self.searched > MAX_LINE {
                    self.bytes.clear();
                    self.searched = 0;
                    return Some(Err(FrameError::TooLong));
                }
                return None;
            };
            let line: Vec<u8> = self.bytes.drain(..=self.searched + end).collect();
            self.searched = 0;
            let text = line.trim_ascii();
            if !text.is_empty() {
                return Some(Ok(text.to_vec()));
            }
        }
    }
}

/// Decodes a message from one line of JSON.
///
/// # Errors
/// [`FrameError::Malformed`] when the line is not a message of type `T`.
pub fn decode<T: DeserializeOwned>(line: &[u8]) -> Result<T, FrameError> {
    serde_json::from_slice(line).map_err(|e| FrameError::Malformed(e.to_string()))
}

/// The `id` of a request that cannot be decoded otherwise, so that the agent can still reply to it.
pub fn request_id(line: &[u8]) -> Option<u64> {
    decode::<serde_json::Value>(line).ok()?.get("id")?.as_u64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Call, Request};

    #[test]
    fn messages_survive_being_cut_anywhere() {
        let sent = [
            Request { id: 1, call: Call::Hello },
            Request { id: 2, call: Call::LoadModules { modules: vec!["scsi_dh_rdac".into()] } },
        ];
        let wire: Vec<u8> = sent.iter().flat_map(encode).collect();
        for cut in 0..wire.len() {
            let mut buffer = LineBuffer::default();
            let mut seen = Vec::new();
            for piece in [&wire[..cut], &wire[cut..]] {
                buffer.push(piece);
                while let Some(message) = buffer.next::<Request>() {
                    seen.push(message.unwrap());
                }
            }
            assert_eq!(seen, sent);
        }
    }

    #[test]
    fn a_bad_line_is_reported_and_the_next_one_read() {
        let mut buffer = LineBuffer::default();
        buffer.push(b"{\"id\":\n");
        buffer.push(&encode(&Request { id: 7, call: Call::PowerOff }));
        assert!(matches!(buffer.next::<Request>(), Some(Err(FrameError::Malformed(_)))));
        assert_eq!(buffer.next::<Request>().unwrap().unwrap().id, 7);
    }

    #[test]
    fn a_request_that_is_not_understood_can_still_be_answered() {
        let line = br#"{"id":9,"call":{"call":"levitate","height":3}}"#;
        assert!(matches!(decode::<Request>(line), Err(FrameError::Malformed(_))));
        assert_eq!(request_id(line), Some(9));
        assert_eq!(request_id(b"{\"id\":"), None);
        assert_eq!(request_id(b"[1]"), None);
    }

    #[test]
    fn a_line_without_end_does_not_grow_for_ever() {
        let mut buffer = LineBuffer::default();
        buffer.push(&vec![b'x'; MAX_LINE + 1]);
        assert!(matches!(buffer.next::<Request>(), Some(Err(FrameError::TooLong))));
        assert!(buffer.next::<Request>().is_none());
    }
}
