//! The line of each byte of code, by the line program of each unit.

use std::num::NonZeroU32;

use super::{BadDebug, Reading, Row, Unit};

/// A row of a line program: from this address on, code is of this line.
struct Begun {
    address: u64,
    /// `None` where the compiler names no line.
    row: Option<Row>,
}

impl<'d> Reading<'_, 'd> {
    pub(super) fn rows(&mut self, unit: &Unit<'d>) -> Result<(), BadDebug> {
        let Some(program) = unit.line_program.clone() else { return Ok(()) };
        let mut rows = program.rows();
        let mut before: Option<Begun> = None;
        while let Some((_, row)) = rows.next_row()? {
            let (address, end) = (row.address(), row.end_sequence());
            let (line, file) = (row.line(), row.file_index());
            self.fuel.burn(1)?;
            // Of several rows of one address, the last one holds; the others have no code.
            if let Some(Begun { address: from, row }) = before.take() {
                self.mark(from..address, |lines| &mut lines.rows, row)?;
            }
            if !end {
                let line = line.and_then(|line| NonZeroU32::try_from(line).ok());
                let file = self.file(unit, file)?;
                before = Some(Begun { address, row: file.zip(line) });
            }
        }
        Ok(())
    }
}
