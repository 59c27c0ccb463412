//! Removes debug information from modules. With it, the modules of a build tree would not fit into a
//! guest's memory.

use std::{fs, process::Command};

use object::{Object, ObjectSection};

use crate::host::programs;

/// The ELF file without debug information. A file that has none is returned unchanged.
///
/// # Errors
/// A sentence that says why it cannot be removed.
pub(crate) fn without_debug_information(elf: Vec<u8>) -> Result<Vec<u8>, String> {
    let has_some = object::File::parse(&*elf).is_ok_and(|file| {
        file.sections().any(|section| section.name().is_ok_and(|name| name == ".debug_info"))
    });
    if !has_some {
        return Ok(elf);
    }
    let program = programs::find("strip").map_err(|e| e.to_string())?;
    let file = tempfile::NamedTempFile::new().map_err(|e| e.to_string())?;
    fs::write(file.path(), elf).map_err(|e| e.to_string())?;
    let ran = Command::new(program).arg("--strip-debug").arg(file.path()).output();
    let output = ran.map_err(|e| e.to_string())?;
    if !output.status.success() {
        let said = programs::tail(&String::from_utf8_lossy(&output.stderr), 1);
        return Err(format!("its debug information cannot be removed: {said}"));
    }
    fs::read(file.path()).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use object::write::{Object as Written, StandardSegment};

    use super::*;

    fn elf(sections: &[&str]) -> Vec<u8> {
        let mut elf = Written::new(
            object::BinaryFormat::Elf,
            object::Architecture::X86_64,
            object::Endianness::Little,
        );
        for name in sections {
            let segment = elf.segment_name(StandardSegment::Debug).to_vec();
            let kind = match name.starts_with(".debug") {
                true => object::SectionKind::Debug,
                false => object::SectionKind::ReadOnlyData,
            };
            let section = elf.add_section(segment, name.as_bytes().to_vec(), kind);
            elf.append_section_data(section, &[1; 64], 1);
        }
        elf.write().unwrap()
    }

    #[test]
    fn only_debug_information_is_removed() {
        let plain = elf(&[".modinfo"]);
        assert_eq!(without_debug_information(plain.clone()), Ok(plain));
        assert_eq!(without_debug_information(b"no elf".to_vec()), Ok(b"no elf".to_vec()));
        if programs::find("strip").is_err() {
            return;
        }
        let small = without_debug_information(elf(&[".modinfo", ".debug_info"])).unwrap();
        let file = object::File::parse(&*small).unwrap();
        assert!(file.section_by_name(".modinfo").is_some());
        assert!(file.section_by_name(".debug_info").is_none());
    }
}
