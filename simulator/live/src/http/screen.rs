//! The screen of a terminal, kept for clients that only draw cells.

mod tame;

use std::num::NonZeroU16;

use sansim_protocol::TerminalSize;
use vt100::{Cell, Color, Parser};

use self::tame::Tame;
use super::limits::SCROLLBACK;
use crate::api::{Run, Screen};

/// A screen, and what its client has seen of it.
pub(super) struct Picture {
    parser: Parser,
    tame: Tame,
    seen: Option<Seen>,
}

/// What a client has seen.
struct Seen {
    lines: Vec<Vec<Run>>,
    /// The rest, without lines.
    rest: Screen,
}

impl Picture {
    /// An empty screen.
    pub(super) fn new(size: TerminalSize) -> Self {
        let (rows, columns) = sides(size);
        let parser = Parser::new(rows, columns, SCROLLBACK);
        Picture { parser, tame: Tame::default(), seen: None }
    }

    /// Takes output of the program.
    pub(super) fn take(&mut self, output: &[u8]) {
        self.parser.process(&self.tame.tame(output));
    }

    /// Has another size from now on.
    pub(super) fn resize(&mut self, size: TerminalSize) {
        let (rows, columns) = sides(size);
        self.parser.set_size(rows, columns);
    }

    /// Shows so many lines back from the end.
    pub(super) fn scroll(&mut self, lines: usize) {
        self.parser.screen_mut().set_scrollback(lines);
    }

    /// What was typed, as the program wants to have it: in the mode for applications the cursor
    /// keys are sent as `ESC O A`.
    pub(super) fn keys(&self, typed: String) -> Vec<u8> {
        match typed.as_bytes() {
            [b'\x1b', b'[', key @ (b'A'..=b'D' | b'F' | b'H')]
                if self.parser.screen().application_cursor() =>
            {
                vec![b'\x1b', b'O', *key]
            }
            _ => typed.into_bytes(),
        }
    }

    /// What has changed since the last time; everything, at the first time. `None` if nothing has.
    pub(super) fn change(&mut self) -> Option<Screen> {
        let (rest, lines) = (self.rest(), self.lines());
        let same_size = self.seen.as_ref().filter(|seen| seen.rest.size == rest.size);
        let changed = |row: &usize| same_size.is_none_or(|seen| seen.lines[*row] != lines[*row]);
        let changes = (0..lines.len()).filter(changed);
        let changes: Vec<_> = changes.map(|row| (row as u16, lines[row].clone())).collect();
        if changes.is_empty() && same_size.is_some_and(|seen| seen.rest == rest) {
            return None;
        }
        self.seen = Some(Seen { lines, rest: rest.clone() });
        Some(Screen { lines: changes, ..rest })
    }

    fn rest(&self) -> Screen {
        let screen = self.parser.screen();
        let (rows, columns) = screen.size();
        let (row, column) = screen.cursor_position();
        let hidden = screen.hide_cursor() || screen.scrollback() > 0;
        Screen {
            size: (rows.get(), columns.get()),
            // After the last column the cursor waits beside the screen.
            cursor: (!hidden).then_some((row, column.min(columns.get() - 1))),
            lines: Vec::new(),
            scrollback: screen.scrollback_len(),
            scrolled: screen.scrollback(),
        }
    }

    fn lines(&self) -> Vec<Vec<Run>> {
        let screen = self.parser.screen();
        let (rows, columns) = screen.size();
        let cells = |row| (0..columns.get()).filter_map(move |column| screen.cell(row, column));
        (0..rows.get()).map(|row| runs(cells(row))).collect()
    }
}

fn sides(size: TerminalSize) -> (NonZeroU16, NonZeroU16) {
    let side = |side| NonZeroU16::new(side).unwrap_or(NonZeroU16::MIN);
    (side(size.rows), side(size.columns))
}

/// How a cell looks: its colours, and whether it is bold, dim, italic, underlined, inverse.
type Look = (Color, Color, [bool; 5]);

/// The cells of a line, without plain blanks at its end.
fn runs<'c>(cells: impl Iterator<Item = &'c Cell>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut last = None;
    // A wide character is in its first cell.
    for cell in cells.filter(|cell| !cell.is_wide_continuation()) {
        let text = if cell.has_contents() { cell.contents() } else { " " };
        let look = look(cell);
        match runs.last_mut() {
            Some(Run(before, _)) if last == Some(look) => before.push_str(text),
            _ => runs.push(Run(text.to_owned(), words(look))),
        }
        last = Some(look);
    }
    if let Some(Run(text, _)) = runs.last_mut().filter(|run| run.1.is_empty()) {
        text.truncate(text.trim_end_matches(' ').len());
        if text.is_empty() {
            runs.pop();
        }
    }
    runs
}

fn look(cell: &Cell) -> Look {
    let kinds = [cell.bold(), cell.dim(), cell.italic(), cell.underline(), cell.inverse()];
    (cell.fgcolor(), cell.bgcolor(), kinds)
}

/// A look in words: see [`Run`].
fn words((front, back, kinds): Look) -> String {
    let colour = |letter, colour| match colour {
        Color::Default => None,
        Color::Idx(index) => Some(format!("{letter}{index}")),
        Color::Rgb(r, g, b) => Some(format!("{letter}#{r:02x}{g:02x}{b:02x}")),
    };
    let names = ["bold", "dim", "italic", "underline", "inverse"];
    let kinds = names.iter().zip(kinds).filter(|(_, is)| *is).map(|(name, _)| (*name).to_owned());
    let colours = [colour('f', front), colour('b', back)];
    colours.into_iter().flatten().chain(kinds).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
