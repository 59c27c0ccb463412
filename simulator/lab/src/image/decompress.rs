//! Decompression by magic number, with a size limit.

use std::io::{self, BufRead, Read};

/// Supported compressions of kernels and modules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    /// gzip (RFC 1952): `CONFIG_KERNEL_GZIP`, `.ko.gz`.
    Gzip,
    /// xz container, not bare LZMA.
    Xz,
    /// Zstandard (RFC 8878): `CONFIG_KERNEL_ZSTD`, `.ko.zst`.
    Zstd,
}

/// Compressions that are recognised but not supported, with their names in the kernel's configuration.
const UNSUPPORTED: &[(&[u8], &str)] = &[
    (b"BZh", "bzip2"),
    (&[0x5d, 0x00, 0x00], "lzma"),
    (&[0x89, b'L', b'Z', b'O'], "lzo"),
    (&[0x02, 0x21, 0x4c, 0x18], "lz4"),
];

impl Compression {
    /// The compression by magic number; `None` if it is not supported.
    pub(crate) fn of(bytes: &[u8]) -> Option<Compression> {
        match bytes {
            [0x1f, 0x8b, ..] => Some(Compression::Gzip),
            [0xfd, b'7', b'z', b'X', b'Z', 0x00, ..] => Some(Compression::Xz),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Compression::Zstd),
            _ => None,
        }
    }
}

/// The name of a compression that is recognised but not supported.
pub(crate) fn unsupported(bytes: &[u8]) -> Option<&'static str> {
    UNSUPPORTED.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, name)| *name)
}

/// Why something that is compressed in another way is refused; `None` if it is not.
pub(crate) fn not_understood(bytes: &[u8]) -> Option<String> {
    let name = unsupported(bytes)?;
    Some(format!("it is packed with {name}; gzip, xz and zstd are understood"))
}

/// The contents of a file that may be packed.
///
/// # Errors
/// `InvalidData` if it is packed in a way that is not supported, with its name.
pub(crate) fn plain<'a>(mut file: impl BufRead + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let head = file.fill_buf()?;
    match (Compression::of(head), not_understood(head)) {
        (Some(how), _) => unpacking(how, file),
        (None, Some(why)) => Err(io::Error::new(io::ErrorKind::InvalidData, why)),
        (None, None) => Ok(Box::new(file)),
    }
}

/// Decompresses one stream and ignores what follows (a bzImage's payload has its size appended). Fails
/// beyond `limit` bytes.
pub(crate) fn decompress(how: Compression, mut bytes: &[u8], limit: u64) -> io::Result<Vec<u8>> {
    decompress_first(how, &mut bytes, limit)
}

/// Decompresses one stream and advances `bytes` to the first byte after it.
pub(crate) fn decompress_first(
    how: Compression,
    bytes: &mut &[u8],
    limit: u64,
) -> io::Result<Vec<u8>> {
    let reader: Box<dyn Read + '_> = match how {
        Compression::Gzip => Box::new(flate2::bufread::GzDecoder::new(bytes)),
        Compression::Xz => Box::new(liblzma::bufread::XzDecoder::new(bytes)),
        Compression::Zstd => {
            Box::new(zstd::stream::read::Decoder::with_buffer(bytes)?.single_frame())
        }
    };
    bounded(reader, limit)
}

/// A reader for the decompressed contents of a file, all its streams.
pub(crate) fn unpacking<'a>(
    how: Compression,
    file: impl BufRead + 'a,
) -> io::Result<Box<dyn Read + 'a>> {
    Ok(match how {
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
        Compression::Xz => Box::new(liblzma::bufread::XzDecoder::new_multi_decoder(file)),
        Compression::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(file)?),
    })
}

fn bounded(reader: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    reader.take(limit + 1).read_to_end(&mut out)?;
    if out.len() as u64 > limit {
        return Err(io::Error::other(format!("it is larger than {} MiB unpacked", limit >> 20)));
    }
    Ok(out)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Write;

    use super::*;

    /// The bytes, compressed in each of the three ways.
    pub(crate) fn compressed(bytes: &[u8]) -> [(Compression, Vec<u8>); 3] {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(bytes).unwrap();
        let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
        xz.write_all(bytes).unwrap();
        [
            (Compression::Gzip, gzip.finish().unwrap()),
            (Compression::Xz, xz.finish().unwrap()),
            (Compression::Zstd, zstd::stream::encode_all(bytes, 1).unwrap()),
        ]
    }

    #[test]
    fn every_compression_is_recognised_and_undone_with_bytes_after_its_end() {
        let plain = b"vmlinux ".repeat(1000);
        for (how, mut packed) in compressed(&plain) {
            packed.extend_from_slice(&[0x40, 0x1f, 0, 0]);
            assert_eq!(Compression::of(&packed), Some(how));
            assert_eq!(decompress(how, &packed, 1 << 20).unwrap(), plain, "{how:?}");
            let mut rest = &packed[..];
            decompress_first(how, &mut rest, 1 << 20).unwrap();
            assert_eq!(rest, [0x40, 0x1f, 0, 0], "{how:?}");
        }
    }

    #[test]
    fn more_than_the_limit_is_an_error() {
        for (how, packed) in compressed(&vec![0; 1 << 20]) {
            assert!(decompress(how, &packed, (1 << 20) - 1).is_err(), "{how:?}");
            assert!(decompress(how, &packed, 1 << 20).is_ok(), "{how:?}");
        }
    }

    #[test]
    fn a_stream_cut_short_is_an_error() {
        for (how, packed) in compressed(&b"vmlinux ".repeat(1000)) {
            assert!(decompress(how, &packed[..packed.len() - 9], 1 << 20).is_err(), "{how:?}");
        }
    }
}
