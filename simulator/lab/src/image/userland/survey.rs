//! The programs of a userland, and the processor that they are for.

use std::collections::BTreeSet;

/// Directories in which programs are found by name, and that of udevd.
const PLACES: &[&str] =
    &["usr/bin", "usr/sbin", "usr/local/bin", "usr/local/sbin", "usr/lib/systemd"];

/// Whether a directory is one of these, with or without `usr`.
pub(crate) fn is_place_of_programs(dir: &str) -> bool {
    PLACES.iter().any(|place| *place == dir || place.strip_prefix("usr/") == Some(dir))
}

/// Values of `e_machine` that an x86-64 kernel can run: EM_386 and EM_X86_64.
const RUNS: &[u16] = &[3, 62];

/// Bytes needed from the beginning of a file.
pub(crate) const HEAD: usize = 20;

/// What was found in a userland while it was packed.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    programs: BTreeSet<String>,
    /// Whether a program for this processor was found, and a program for another one.
    runs: bool,
    foreign: Option<String>,
}

impl Survey {
    /// Records a file or link (with empty `head`). `name` is its name in a merged /usr.
    pub(crate) fn see(&mut self, name: &str, head: &[u8]) {
        let Some((dir, program)) = name.rsplit_once('/') else { return };
        if !PLACES.contains(&dir) {
            return;
        }
        self.programs.insert(program.to_owned());
        match machine(head) {
            Some(machine) if RUNS.contains(&machine) => self.runs = true,
            Some(_) => self.foreign = Some(name.to_owned()),
            None => {}
        }
    }

    /// The names of the programs.
    ///
    /// # Errors
    /// A sentence that says why this is not a userland for the guest.
    pub(crate) fn programs(self) -> Result<BTreeSet<String>, String> {
        if self.programs.is_empty() {
            return Err(
                "it has no programs (usr/bin, usr/sbin): give the top of a root file system".into(),
            );
        }
        match self.foreign {
            Some(name) if !self.runs => {
                Err(format!("{name} is for another architecture; only x86-64 guests are possible"))
            }
            _ => Ok(self.programs),
        }
    }
}

/// `e_machine` in the header of an ELF file.
fn machine(head: &[u8]) -> Option<u16> {
    let bytes: [u8; 2] = head.get(18..HEAD)?.try_into().ok()?;
    match (head.starts_with(b"\x7fELF"), head[5]) {
        (true, 1) => Some(u16::from_le_bytes(bytes)),
        (true, 2) => Some(u16::from_be_bytes(bytes)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elf(machine: u16) -> Vec<u8> {
        let mut head = vec![0; HEAD];
        head[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1]);
        head[18..].copy_from_slice(&machine.to_le_bytes());
        head
    }

    #[test]
    fn programs_are_found_where_they_can_be_called() {
        let mut survey = Survey::default();
        for name in ["usr/sbin/multipathd", "usr/lib/systemd/systemd-udevd", "usr/share/x", "y"] {
            survey.see(name, &elf(62));
        }
        survey.see("usr/bin/sg_turs", &[]);
        let found: Vec<String> = survey.programs().unwrap().into_iter().collect();
        assert_eq!(found, ["multipathd", "sg_turs", "systemd-udevd"]);
    }

    #[test]
    fn nothing_and_another_architecture_are_refused() {
        assert!(Survey::default().programs().unwrap_err().contains("no programs"));
        let mut survey = Survey::default();
        survey.see("usr/bin/sh", &elf(183));
        survey.see("usr/bin/script", b"#!/bin/sh\n");
        let why = survey.programs().unwrap_err();
        assert!(why.starts_with("usr/bin/sh is for another architecture"), "{why}");
        let mut both = Survey::default();
        both.see("usr/bin/qemu-arm", &elf(40));
        both.see("usr/bin/sh", &elf(62));
        assert!(both.programs().is_ok());
    }
}
