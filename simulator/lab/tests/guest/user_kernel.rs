//! A user's kernel with the userland of bookworm. The kernel is also bookworm's, taken from its base in the
//! cache as if a user had built it.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use sansim_lab::{KernelSource, LabError, Machine, Parts, UserKernel, UserlandSource};
use sansim_protocol::{Answer, Call, ProgramEnd};

use crate::lab::{self, Lab, Said};

/// A kernel and its modules with the userland of bookworm.
fn parts(kernel: &Path, modules: &Path) -> Parts {
    let (kernel, modules) = (kernel.to_owned(), modules.to_owned());
    Parts {
        kernel: KernelSource::User(UserKernel::Files { kernel, modules }),
        userland: UserlandSource::Image("bookworm".into()),
        initrd: None,
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(path, target).unwrap();
        }
    }
}

/// Installs the kernel's headers, which the base keeps as packages, below `root`. Returns the directory to compile in.
fn install_headers(packages: &Path, root: &Path, release: &str) -> PathBuf {
    for package in fs::read_dir(packages).unwrap().flatten().map(|entry| entry.path()) {
        if package.extension().is_some_and(|end| end == "deb") {
            let done = Command::new("dpkg-deb").arg("-x").args([&package, root]).status().unwrap();
            assert!(done.success());
        }
    }
    let headers = root.join("usr/src").join(format!("linux-headers-{release}"));
    for name in ["Makefile", ".kernelvariables"] {
        let text = fs::read_to_string(headers.join(name)).unwrap();
        let here = format!("{}/usr/src", root.display());
        fs::write(headers.join(name), text.replace("/usr/src", &here)).unwrap();
    }
    headers
}

#[tokio::test]
async fn an_own_kernel_is_added_booted_listed_and_removed() {
    let Some(lab) = Lab::open().await else { return };
    let config = lab.config(Vec::new());
    let (release, kernel) = (config.image.release.clone(), config.image.kernel.clone());
    let root = lab.work.path().join("root");
    let modules = root.join("lib/modules").join(&release);
    copy(&kernel.with_file_name("modules"), &modules);
    // As `make modules_install` leaves it, and as the headers' package does.
    let headers = install_headers(&kernel.with_file_name("headers"), &root, &release);
    // The package's own link leads to the host's /usr/src.
    fs::remove_file(modules.join("build")).unwrap();
    symlink(headers, modules.join("build")).unwrap();

    let said = Said::default();
    let image = lab.store.add("own-1", &parts(&kernel, &root), &said).await.unwrap();
    assert_eq!((image.name.as_str(), &image.release), ("own-1", &release));
    assert_eq!(image.left_out, config.image.left_out, "the modules of 2007 are compiled for it");
    assert_eq!(lab.store.build("own-1", &said).await.unwrap(), image);
    let listed = lab.store.list().unwrap();
    let own = listed.iter().find(|info| info.name == "own-1").unwrap();
    assert_eq!(own.release.as_ref(), Some(&release));
    assert!(own.bytes > 10 << 20, "{own:?}");

    let machine = Machine::cold(sansim_lab::MachineConfig { image, ..config }).await.unwrap();
    assert_eq!(lab::read(&machine, "/proc/sys/kernel/osrelease").await.trim(), release);
    let argv = ["/usr/sbin/multipath", "-h"].map(str::to_owned).to_vec();
    let ran = machine.agent().call(Call::Run { argv, timeout_ms: 60_000 }).await.unwrap();
    assert!(
        matches!(&ran, Answer::Ran(ProgramEnd { stderr, stdout, .. }) if format!("{stdout}{stderr}").contains("multipath-tools")),
        "{ran:?}"
    );
    machine.kill().await;

    lab.store.remove("own-1").unwrap();
    let gone = lab.store.build("own-1", &said).await.unwrap_err();
    assert!(matches!(gone, LabError::UnknownImage { .. }), "{gone}");
}

#[tokio::test]
async fn a_kernel_and_modules_that_do_not_fit_are_refused() {
    let Some(lab) = Lab::open().await else { return };
    let kernel = lab.config(Vec::new()).image.kernel;
    let modules = lab.work.path().join("lib/modules/6.1.0-other");
    copy(&kernel.with_file_name("modules"), &modules);
    let said = Said::default();
    let add = |kernel, modules| {
        let parts = parts(kernel, modules);
        let (store, said) = (&lab.store, &said);
        async move { store.add("own-2", &parts, said).await.unwrap_err() }
    };
    let error = add(&kernel, &modules).await;
    assert!(error.to_string().contains("it is not of release 6.1.0-other"), "{error}");
    let error = add(&kernel, lab.work.path()).await;
    assert!(matches!(error, LabError::BadKernel { .. }), "{error:?}");
    let nothing = add(&kernel, Path::new("/nowhere")).await;
    assert!(matches!(nothing, LabError::BadModules { .. }), "{nothing:?}");
    let text = lab.work.path().join("vmlinuz");
    fs::write(&text, "no kernel").unwrap();
    let error = add(&text, &modules).await;
    assert!(error.to_string().contains("neither a bzImage nor an ELF"), "{error}");
}
