//! The data buffer and the echo buffer of a nexus, for READ BUFFER and WRITE BUFFER.

/// The size of each buffer in bytes.
pub(crate) const SIZE: usize = 4096;

/// The buffers of a nexus. They are made when they are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DataBuffers {
    data: Vec<u8>,
    echo: Option<Vec<u8>>,
}

/// What WRITE BUFFER writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Written {
    Data { offset: usize, bytes: Vec<u8> },
    Echo(Vec<u8>),
}

impl DataBuffers {
    /// The data buffer; empty if it was never written.
    pub(crate) fn data(&self) -> &[u8] {
        &self.data
    }

    /// What was written to the echo buffer.
    pub(crate) fn echo(&self) -> Option<&[u8]> {
        self.echo.as_deref()
    }

    /// `written` lies within the buffer.
    pub(crate) fn write(&mut self, written: Written) {
        match written {
            Written::Echo(bytes) => self.echo = Some(bytes),
            Written::Data { offset, bytes } => {
                self.data.resize(SIZE, 0);
                self.data[offset..offset + bytes.len()].copy_from_slice(&bytes);
            }
        }
    }
}
