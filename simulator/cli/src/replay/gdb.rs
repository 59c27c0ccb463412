//! The gdb commands to debug a guest: where to connect, and where its modules are loaded.

use std::path::Path;

use sansim_lab::Image;
use sansim_run::LoadedModule;

/// Modules whose symbols are loaded: those that matter for multipathing.
const PREFIXES: [&str; 4] = ["dm_", "scsi_", "sd_mod", "virtio_scsi"];

pub(super) struct Symbols {
    /// The guest's image, with the kernel and module files.
    pub(super) image: Image,
    /// The loaded modules, with the addresses of their sections.
    pub(super) modules: Vec<LoadedModule>,
}

impl Symbols {
    /// The text that tells the user how to start gdb. The commands are also written to a file in `dir`, if
    /// possible.
    pub(super) fn invite(&self, socket: &Path, dir: &Path) -> String {
        let commands = self.commands(socket);
        let (file, kernel) = (dir.join("gdb.commands"), self.image.kernel.display());
        let written = std::fs::write(&file, format!("{}\n", commands.join("\n"))).is_ok();
        let mut lines = vec!["\ngdb can connect to the guest:".to_owned()];
        if written {
            lines.push(format!("  gdb -x {} {kernel}", file.display()));
            lines.push("which does the same as:".to_owned());
        }
        lines.push(format!("  gdb {kernel}"));
        lines.extend(commands.iter().map(|command| format!("  {command}")));
        lines.push("The story continues when gdb detaches, or when you press Enter.".to_owned());
        lines.join("\n")
    }

    fn commands(&self, socket: &Path) -> Vec<String> {
        let mut commands =
            vec!["set confirm off".to_owned(), format!("target remote {}", socket.display())];
        let wanted = |module: &&LoadedModule| PREFIXES.iter().any(|p| module.name.starts_with(p));
        commands.extend(self.modules.iter().filter(wanted).filter_map(|m| self.add(m)));
        commands
    }

    fn add(&self, module: &LoadedModule) -> Option<String> {
        let file = self.image.module_file(&module.name)?;
        let (text, others) = module.sections.split_first()?;
        if text.0 != ".text" {
            return None;
        }
        let others: String =
            others.iter().map(|(name, address)| format!(" -s {name} {address:#x}")).collect();
        Some(format!("add-symbol-file {} {:#x}{others}", file.display(), text.1))
    }
}
