//! The messages of a terminal's WebSocket.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A message from the one who sits at a terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ToTerminal {
    /// Text that was typed. Only with `as=cells`; else it comes as binary messages. The cursor keys
    /// are sent as `ESC [ A`, and reach the program as it wants to have them.
    Typed(String),
    /// The new size: rows, columns.
    Resized(u16, u16),
    /// The view is so many lines back from the end. Only with `as=cells`.
    Scrolled(usize),
}

/// A message from a terminal, besides the binary messages of `as=bytes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum FromTerminal {
    /// The screen has changed. Only with `as=cells`.
    Screen(Screen),
    /// The program has ended. The last message.
    Ended {
        /// The exit code; null if the program was killed.
        ended: Option<i32>,
    },
}

/// What is different on a screen; all of it, in the first message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Screen {
    /// Rows and columns.
    pub size: (u16, u16),
    /// The cursor's row and column, from 0; null if it is not to be seen.
    pub cursor: Option<(u16, u16)>,
    /// The lines that have changed: the row, from 0, and what is in it.
    pub lines: Vec<(u16, Vec<Run>)>,
    /// How many lines there are to scroll back to.
    pub scrollback: usize,
    /// How many lines the view is back from the end.
    pub scrolled: usize,
}

/// Neighbouring cells that look the same: their text, and how it looks.
///
/// The look is words with spaces between them, or empty: `f0` to `f255` and `f#rrggbb` the colour,
/// `b…` that of the background, `bold`, `dim`, `italic`, `underline`, `inverse`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Run(pub String, pub String);
