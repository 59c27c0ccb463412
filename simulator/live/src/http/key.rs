//! The token that opens a lab's port to those who know it.

use std::io;

use axum::http::{HeaderMap, header};
use rand::{TryRng, rngs::SysRng};

/// A random token, and the port that it opens.
#[derive(Debug)]
pub(super) struct Key {
    token: String,
    port: u16,
}

impl Key {
    /// A new token of 256 bits.
    ///
    /// # Errors
    /// If the host gives no random bytes: a token that can be guessed is none.
    pub(super) fn new(port: u16) -> io::Result<Self> {
        let mut bytes = [0; 32];
        SysRng.try_fill_bytes(&mut bytes).map_err(io::Error::other)?;
        let token = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Key { token, port })
    }

    /// The address of the page.
    pub(super) fn address(&self) -> String {
        format!("http://127.0.0.1:{}/?token={}", self.port, self.token)
    }

    /// Whether this is the token. The time that it takes does not tell how much of it is right.
    pub(super) fn is(&self, given: &str) -> bool {
        // Hashes are compared in constant time.
        blake3::hash(given.as_bytes()) == blake3::hash(self.token.as_bytes())
    }

    /// Whether a request has the token: as `Authorization: Bearer`, or in the cookie.
    pub(super) fn opens(&self, headers: &HeaderMap) -> bool {
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        if let Some(token) = bearer.and_then(|value| value.strip_prefix("Bearer ")) {
            return self.is(token);
        }
        let lines = headers.get_all(header::COOKIE).into_iter();
        let cookies = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(';'));
        let name = self.cookie_name();
        let values = cookies.filter_map(|cookie| cookie.trim().split_once('='));
        values.filter(|(key, _)| *key == name).any(|(_, value)| self.is(value))
    }

    /// The cookie that keeps the token. Cookies are a host's, whatever the port; its name therefore
    /// has the port.
    pub(super) fn cookie(&self) -> String {
        format!("{}={}; Path=/; HttpOnly; SameSite=Strict", self.cookie_name(), self.token)
    }

    fn cookie_name(&self) -> String {
        format!("sansim-{}", self.port)
    }

    /// The values of `Host` that mean this port.
    pub(super) fn hosts(&self) -> [String; 2] {
        ["127.0.0.1", "localhost"].map(|host| format!("{host}:{}", self.port))
    }
}
