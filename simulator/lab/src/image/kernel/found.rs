//! A kernel that was found and read, but not yet unpacked.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use super::vmlinux;
use crate::{
    LabError, Result,
    image::modules::{Headers, ModuleDir, ModuleSource},
};

/// Kernel options that every run needs.
const NEEDED: &[&str] = &[
    "PVH",
    "BLK_DEV_INITRD",
    "SCSI",
    "BLK_DEV_SD",
    "SCSI_VIRTIO",
    "VIRTIO_PCI",
    "VIRTIO_BLK",
    "SQUASHFS",
    "TMPFS",
    "DEVTMPFS",
    "DM_MULTIPATH",
];

/// Kernel options for skipped time and for real time. One of the two sets is enough.
const KINDS_OF_TIME: [&[&str]; 2] = [&["DEVMEM", "KPROBES", "PCI_MSI"], &["VIRTIO_CONSOLE"]];

/// A kernel with its modules.
pub(crate) struct FoundKernel {
    /// The path that the user gave, for messages.
    pub(crate) path: PathBuf,
    /// A bzImage or an ELF file.
    pub(crate) kernel: Vec<u8>,
    /// The release of the modules.
    pub(crate) release: String,
    /// The kernel's configuration; empty if unknown.
    pub(crate) config: String,
    /// The files of its `lib/modules/RELEASE`.
    pub(crate) modules: Box<dyn ModuleSource>,
    /// What further modules can be compiled against, if it came with the kernel.
    pub(crate) headers: Option<Headers>,
}

impl fmt::Debug for FoundKernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FoundKernel({}, {})", self.path.display(), self.release)
    }
}

impl FoundKernel {
    /// Reads a kernel file and finds the directory with its modules.
    ///
    /// # Errors
    /// `File` when the kernel cannot be read, `BadModules` when there are no modules.
    pub(crate) fn of_files(path: &Path, modules: &Path) -> Result<FoundKernel> {
        let kernel = fs::read(path).map_err(LabError::file("cannot read", path))?;
        let bad = |why| LabError::BadModules { why };
        let modules = ModuleDir::find(modules).map_err(bad)?;
        let release = modules.release().map_err(bad)?;
        // The configuration is next to an installed kernel, or among its modules.
        let beside = fs::read(path.with_file_name(format!("config-{release}")));
        let config = beside.or_else(|_| modules.read("config")).unwrap_or_default();
        let config = String::from_utf8_lossy(&config).into_owned();
        Ok(FoundKernel {
            path: path.to_owned(),
            kernel,
            release,
            config,
            headers: modules.headers(),
            modules: Box::new(modules),
        })
    }

    /// Checks that the kernel is configured for a guest, if the configuration is known.
    ///
    /// # Errors
    /// `BadKernel`, which names the missing options.
    pub(crate) fn check_configuration(&self) -> Result<()> {
        if self.config.is_empty() {
            return Ok(());
        }
        let missing = self.lacking(NEEDED);
        if !missing.is_empty() {
            let why = format!("it is configured without {missing}: a guest needs them");
            return Err(LabError::BadKernel { path: self.path.clone(), why });
        }
        let [skipped, real] = KINDS_OF_TIME.map(|options| self.lacking(options));
        if !skipped.is_empty() && !real.is_empty() {
            let why = format!(
                "it is configured without {skipped}, which skipped time needs, and without {real}, \
                 which real time needs"
            );
            return Err(LabError::BadKernel { path: self.path.clone(), why });
        }
        Ok(())
    }

    /// The options that the configuration lacks, in words.
    fn lacking(&self, options: &[&str]) -> String {
        let has = |option: &&&str| {
            let set = [format!("CONFIG_{option}=y"), format!("CONFIG_{option}=m")];
            self.config.lines().any(|line| set.iter().any(|set| set == line))
        };
        let missing: Vec<&str> = options.iter().filter(|o| !has(o)).copied().collect();
        missing.join(", ")
    }

    /// The kernel as an ELF file. It must have the same release as the modules.
    ///
    /// # Errors
    /// `BadKernel`.
    pub(crate) fn elf(&self) -> Result<Vec<u8>> {
        let bad = |why| LabError::BadKernel { path: self.path.clone(), why };
        let elf = vmlinux(self.kernel.clone()).map_err(bad)?;
        // An ELF vmlinux contains its version in its banner. A mismatched pair would fail in the guest when
        // it loads the first module.
        let banner = format!("Linux version {} ", self.release);
        if elf.windows(banner.len()).any(|window| window == banner.as_bytes()) {
            return Ok(elf);
        }
        let release = &self.release;
        Err(bad(format!("it is not of release {release}, for which the modules are")))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn what_the_configuration_lacks_is_said() {
        let kernel = |config: String| FoundKernel {
            path: "bzImage".into(),
            kernel: Vec::new(),
            release: "6.1".into(),
            config,
            modules: Box::new(BTreeMap::new()),
            headers: None,
        };
        let set = |options: &[&str]| -> String {
            options.iter().map(|option| format!("CONFIG_{option}=m\n")).collect()
        };
        let skipped = set(NEEDED) + &set(KINDS_OF_TIME[0]);
        let all = skipped.clone() + &set(KINDS_OF_TIME[1]);
        assert!(kernel(all.clone()).check_configuration().is_ok());
        assert!(kernel(String::new()).check_configuration().is_ok());
        let without = all.replace("CONFIG_SQUASHFS=m", "# CONFIG_SQUASHFS is not set");
        let why = kernel(without).check_configuration().unwrap_err().to_string();
        assert!(why.contains("bzImage") && why.contains("without SQUASHFS:"), "{why}");
        assert!(kernel(skipped.clone()).check_configuration().is_ok());
        let neither = skipped.replace("CONFIG_DEVMEM=m", "");
        let why = kernel(neither).check_configuration().unwrap_err().to_string();
        assert!(why.contains("without DEVMEM, which") && why.contains("VIRTIO_CONSOLE"), "{why}");
    }
}
