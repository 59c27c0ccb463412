//! Compiles the plugin (`plugin/`) to a shared object, which `src/lib.rs` includes.
//!
//! It is no `cdylib` of cargo's: the workspace is linked statically (`.cargo/config.toml`), and cargo gives every
//! crate the same flags, while QEMU loads a plugin into a process that has its C library already.

use std::{env, path::PathBuf, process::Command};

fn main() {
    for file in ["build.rs", "plugin", "src/log.rs"] {
        println!("cargo::rerun-if-changed={file}");
    }
    let variable = |name: &str| env::var_os(name).unwrap_or_else(|| panic!("cargo sets {name}"));
    let plugin = PathBuf::from(variable("OUT_DIR")).join("marks.so");
    let mut rustc = Command::new(variable("RUSTC"));
    rustc.args(["--edition=2024", "--crate-name=marks", "--crate-type=cdylib", "--target"]);
    rustc.arg(variable("TARGET")).args(["-Cpanic=abort", "-Copt-level=2", "-Cstrip=symbols"]);
    if let Some(linker) = env::var_os("RUSTC_LINKER") {
        rustc.arg("-C").arg(format!("linker={}", linker.to_string_lossy()));
    }
    let status = rustc.arg("plugin/root.rs").arg("-o").arg(plugin).status();
    assert!(status.expect("rustc runs").success(), "the plugin does not compile");
}
