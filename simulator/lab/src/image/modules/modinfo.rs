//! The metadata of a kernel module (its `.modinfo` section).

use object::{Object, ObjectSection};

/// The parts of `.modinfo` that matter for loading.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ModInfo {
    /// Modules that must be loaded first.
    pub(crate) depends: Vec<String>,
    /// The `softdep` entries, for instance `pre: crct10dif`.
    pub(crate) softdeps: Vec<String>,
    /// Alias patterns, for instance `scsi-hostadapter`.
    pub(crate) aliases: Vec<String>,
}

impl ModInfo {
    /// Parses the module's ELF file.
    pub(crate) fn of(elf: &[u8]) -> Result<ModInfo, String> {
        let file = object::File::parse(elf).map_err(|e| format!("it is no ELF file: {e}"))?;
        let section = file.section_by_name(".modinfo").ok_or("it has no .modinfo section")?;
        let data = section.data().map_err(|e| format!("its .modinfo cannot be read: {e}"))?;
        Ok(ModInfo::parse(data))
    }

    fn parse(data: &[u8]) -> ModInfo {
        let mut info = ModInfo::default();
        for record in data.split(|b| *b == 0) {
            let record = String::from_utf8_lossy(record);
            match record.split_once('=') {
                Some(("depends", list)) => {
                    info.depends.extend(list.split(',').filter(|d| !d.is_empty()).map(module_name));
                }
                Some(("softdep", text)) => info.softdeps.push(text.to_owned()),
                Some(("alias", pattern)) => info.aliases.push(pattern.to_owned()),
                _ => {}
            }
        }
        info
    }

    /// The names of all modules in `softdeps`.
    pub(crate) fn soft_names(&self) -> impl Iterator<Item = String> {
        self.softdeps
            .iter()
            .flat_map(|text| text.split_whitespace())
            .filter(|word| !matches!(*word, "pre:" | "post:"))
            .map(module_name)
    }
}

/// A module's name as in the kernel: with `_` instead of `-`, without directory and suffixes.
pub(crate) fn module_name(file: &str) -> String {
    let base = file.rsplit('/').next().unwrap_or(file);
    base.split(".ko").next().unwrap_or(base).replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read() {
        let info = ModInfo::parse(
            b"license=GPL\0\0alias=virtio:d00000008v*\0depends=scsi_mod,virtio-ring\0softdep=pre: a-b post: c\0\xff=",
        );
        assert_eq!(info.depends, ["scsi_mod", "virtio_ring"]);
        assert_eq!(info.aliases, ["virtio:d00000008v*"]);
        assert_eq!(info.soft_names().collect::<Vec<_>>(), ["a_b", "c"]);
        assert_eq!(ModInfo::parse(b"depends=\0"), ModInfo::default());
    }

    #[test]
    fn names_are_the_kernels() {
        assert_eq!(module_name("kernel/drivers/md/dm-service-time.ko.xz"), "dm_service_time");
        assert_eq!(module_name("dm-mod"), "dm_mod");
    }
}
