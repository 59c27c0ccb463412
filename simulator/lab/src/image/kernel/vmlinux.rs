//! Unpacks a distribution's kernel (bzImage) to the ELF file that QEMU starts directly.
//!
//! The decompressor of a bzImage runs for seconds under TCG. Unpacking once on the host saves that at every
//! boot. The layout is that of the x86 boot protocol (Documentation/arch/x86/boot.rst).

use object::{Endianness, elf, read::elf::FileHeader, read::elf::ProgramHeader};

use crate::image::decompress::{Compression, decompress, unsupported};

/// Most bytes of a vmlinux. A usual one has some 60 MB; with debug information it is much larger.
const LARGEST_VMLINUX: u64 = 1 << 30;
/// Type of the note with the PVH entry point (xen/interface/elfnote.h).
const XEN_ELFNOTE_PHYS32_ENTRY: elf::NoteType = elf::NoteType(18);

/// Offsets in the setup header.
const SETUP_SECTS: usize = 0x1f1;
const BOOT_FLAG: usize = 0x1fe;
const MAGIC: usize = 0x202;
const PROTOCOL: usize = 0x206;
const PAYLOAD_OFFSET: usize = 0x248;
const PAYLOAD_LENGTH: usize = 0x24c;

/// Kernels of other architectures: offset of the magic, the magic, the architecture.
const FOREIGN: &[(usize, &[u8; 4], &str)] = &[
    (56, b"ARM\x64", "arm64"),
    (56, b"RSC\x05", "riscv"),
    (4, b"zimg", "arm64, riscv or loongarch (an EFI zboot image)"),
    (0x24, &[0x18, 0x28, 0x6f, 0x01], "32-bit arm"),
];

/// The kernel as an ELF file. Accepts a bzImage or an ELF file.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub(crate) fn vmlinux(file: Vec<u8>) -> Result<Vec<u8>, String> {
    let elf = if file.starts_with(&elf::ELFMAG) { file } else { unpack_bzimage(&file)? };
    check_elf(&elf)?;
    Ok(elf)
}

fn unpack_bzimage(file: &[u8]) -> Result<Vec<u8>, String> {
    let payload = payload(file)?;
    let Some(how) = Compression::of(payload) else {
        return Err(match unsupported(payload) {
            Some(name) => format!("it is compressed with {name}; gzip, xz and zstd are understood"),
            None => "its compression is not recognised; gzip, xz and zstd are understood".into(),
        });
    };
    decompress(how, payload, LARGEST_VMLINUX)
        .map_err(|e| format!("its compressed part cannot be unpacked: {e}"))
}

/// The compressed kernel in a bzImage.
fn payload(file: &[u8]) -> Result<&[u8], String> {
    if let Some((_, _, what)) =
        FOREIGN.iter().find(|(at, magic, _)| file.get(*at..*at + 4) == Some(&magic[..]))
    {
        return Err(format!("it is a kernel for {what}; only x86-64 guests are possible"));
    }
    let (Some(0xaa55), Some(b"HdrS")) = (u16_at(file, BOOT_FLAG), file.get(MAGIC..MAGIC + 4))
    else {
        return Err("it is neither a bzImage nor an ELF file for x86-64".into());
    };
    // The header has the payload's offset since protocol 2.08 (Linux 2.6.26).
    if u16_at(file, PROTOCOL).is_none_or(|version| version < 0x0208) {
        return Err("it is older than Linux 2.6.26".into());
    }
    let setup_sects = match file[SETUP_SECTS] {
        0 => 4,
        n => usize::from(n),
    };
    let cut = || "it is damaged: its compressed part lies outside the file".to_owned();
    let offset = u32_at(file, PAYLOAD_OFFSET).ok_or_else(cut)? as usize;
    let length = u32_at(file, PAYLOAD_LENGTH).ok_or_else(cut)? as usize;
    let start = (setup_sects + 1) * 512 + offset;
    file.get(start..start + length).filter(|payload| !payload.is_empty()).ok_or_else(cut)
}

fn u16_at(file: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(file.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(file: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(file.get(at..at + 4)?.try_into().ok()?))
}

fn check_elf(file: &[u8]) -> Result<(), String> {
    let damaged = |e: object::Error| format!("it is damaged: {e}");
    let Ok(header) = elf::FileHeader64::<Endianness>::parse(file) else {
        return Err("it is no 64-bit ELF file".into());
    };
    let endian = header.endian().map_err(damaged)?;
    if header.e_machine(endian) != elf::EM_X86_64 {
        return Err("it is for another architecture; only x86-64 guests are possible".into());
    }
    for segment in header.program_headers(endian, file).map_err(damaged)? {
        let Some(mut notes) = segment.notes(endian, file).map_err(damaged)? else { continue };
        while let Some(note) = notes.next().map_err(damaged)? {
            if note.name() == b"Xen" && note.n_type(endian) == XEN_ELFNOTE_PHYS32_ENTRY {
                return Ok(());
            }
        }
    }
    Err("it has no PVH entry, by which QEMU starts an uncompressed kernel: build it with CONFIG_PVH=y".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::decompress::tests::compressed;

    /// An ELF file with one PT_NOTE segment.
    fn elf_with_note(machine: u16, name: &[u8; 4], kind: u32) -> Vec<u8> {
        let mut file = vec![0; 64 + 56];
        file[..8].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1, 1, 0]);
        file[16..18].copy_from_slice(&2u16.to_le_bytes()); // ET_EXEC
        file[18..20].copy_from_slice(&machine.to_le_bytes());
        file[20..24].copy_from_slice(&1u32.to_le_bytes());
        file[32..40].copy_from_slice(&64u64.to_le_bytes()); // e_phoff
        file[52..54].copy_from_slice(&64u16.to_le_bytes());
        file[54..56].copy_from_slice(&56u16.to_le_bytes());
        file[56..58].copy_from_slice(&1u16.to_le_bytes()); // e_phnum
        let segment = &mut file[64..];
        segment[..4].copy_from_slice(&4u32.to_le_bytes()); // PT_NOTE
        segment[8..16].copy_from_slice(&120u64.to_le_bytes());
        segment[32..40].copy_from_slice(&20u64.to_le_bytes());
        segment[48..56].copy_from_slice(&4u64.to_le_bytes());
        for word in [4, 4, kind] {
            file.extend_from_slice(&u32::to_le_bytes(word));
        }
        file.extend_from_slice(name);
        file.extend_from_slice(&[0; 4]);
        file
    }

    fn good_elf() -> Vec<u8> {
        elf_with_note(62, b"Xen\0", 18)
    }

    fn bzimage(payload: &[u8]) -> Vec<u8> {
        let mut file = vec![0; 1024 + 0x100];
        file[SETUP_SECTS] = 1;
        file[BOOT_FLAG..BOOT_FLAG + 2].copy_from_slice(&0xaa55u16.to_le_bytes());
        file[MAGIC..MAGIC + 4].copy_from_slice(b"HdrS");
        file[PROTOCOL..PROTOCOL + 2].copy_from_slice(&0x020fu16.to_le_bytes());
        file[PAYLOAD_OFFSET..PAYLOAD_OFFSET + 4].copy_from_slice(&0x100u32.to_le_bytes());
        let length = u32::try_from(payload.len()).unwrap();
        file[PAYLOAD_LENGTH..PAYLOAD_LENGTH + 4].copy_from_slice(&length.to_le_bytes());
        file.extend_from_slice(payload);
        file
    }

    #[test]
    fn a_kernel_is_unpacked_from_every_compression() {
        for (how, packed) in compressed(&good_elf()) {
            assert_eq!(vmlinux(bzimage(&packed)).as_deref(), Ok(&good_elf()[..]), "{how:?}");
        }
    }

    #[test]
    fn an_elf_file_is_taken_as_it_is() {
        assert_eq!(vmlinux(good_elf()), Ok(good_elf()));
    }

    #[test]
    fn what_cannot_be_a_guest_is_told_why() {
        let cases: [(Vec<u8>, &str); 10] = [
            (Vec::new(), "neither a bzImage"),
            (vec![0; 4096], "neither a bzImage"),
            ([&[0; 56][..], b"ARM\x64", &[0; 64]].concat(), "arm64"),
            (b"MZ\0\0zimg and so on".to_vec(), "zboot"),
            ([&[0; 0x24][..], &[0x18, 0x28, 0x6f, 0x01], &[0; 64]].concat(), "32-bit arm"),
            (elf_with_note(183, b"Xen\0", 18), "another architecture"),
            (elf_with_note(62, b"Xen\0", 1), "CONFIG_PVH"),
            (elf_with_note(62, b"GNU\0", 18), "CONFIG_PVH"),
            (bzimage(b"\x02\x21\x4c\x18........"), "compressed with lz4"),
            (bzimage(b"something else"), "not recognised"),
        ];
        for (file, part) in cases {
            let why = vmlinux(file).unwrap_err();
            assert!(why.contains(part), "{why:?} does not say {part:?}");
        }
    }

    #[test]
    fn a_payload_outside_the_file_is_an_error() {
        let (_, packed) = &compressed(&good_elf())[0];
        let whole = bzimage(packed);
        let mut far = whole.clone();
        far[PAYLOAD_OFFSET..PAYLOAD_OFFSET + 8].fill(0xff);
        assert!(vmlinux(far).unwrap_err().contains("outside the file"));
        let mut empty = whole.clone();
        empty[PAYLOAD_LENGTH..PAYLOAD_LENGTH + 4].fill(0);
        assert!(vmlinux(empty).unwrap_err().contains("outside the file"));
        for end in 0..whole.len() {
            assert!(vmlinux(whole[..end].to_vec()).is_err(), "cut to {end} bytes");
        }
    }

    #[test]
    fn no_byte_of_the_header_makes_it_panic() {
        let (_, packed) = &compressed(&good_elf())[0];
        let whole = bzimage(packed);
        for at in 0..0x260 {
            for value in [0, 1, 0x7f, 0xff] {
                let mut file = whole.clone();
                file[at] = value;
                let _ = vmlinux(file);
            }
        }
        for at in 0..good_elf().len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut file = good_elf();
                file[at] = value;
                let _ = vmlinux(file);
            }
        }
    }
}
