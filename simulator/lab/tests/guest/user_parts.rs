//! A user's kernel as a build tree or as packages, a userland as a directory, and an initramfs. All of them
//! are bookworm's, as if a user had made them.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use cpio::newc::{Builder, ModeFileType, trailer};
use sansim_lab::{
    Image, KernelSource, Machine, MachineConfig, Parts, UserKernel, UserRootFs, UserlandSource,
};
use sansim_protocol::Call;

use crate::lab::{self, Lab, Said};

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// All modules of an image, by path.
fn modules(image: &Image) -> Vec<(String, Vec<u8>)> {
    let dir = image.kernel.with_file_name("modules");
    let list = fs::read_to_string(dir.join("modules.dep")).unwrap();
    let places = list.lines().filter_map(|line| line.split_once(':')).map(|(place, _)| place);
    places.map(|place| (place.to_owned(), fs::read(dir.join(place)).unwrap())).collect()
}

/// A build tree with the kernel of an image, without one module.
fn tree(dir: &Path, image: &Image, without: &str) -> UserKernel {
    write(&dir.join("vmlinux"), &fs::read(&image.kernel).unwrap());
    write(&dir.join("include/config/kernel.release"), image.release.as_bytes());
    let mut order = String::new();
    for (place, elf) in modules(image).iter().filter(|(place, _)| !place.ends_with(without)) {
        let place = place.strip_prefix("kernel/").unwrap();
        write(&dir.join(place), elf);
        order += &format!("{}.o\n", place.strip_suffix(".ko").unwrap());
    }
    write(&dir.join("modules.order"), order.as_bytes());
    write(&dir.join("modules.builtin"), b"");
    UserKernel::Tree(dir.to_owned())
}

/// A compressed initramfs with one module, below a symbolic link as in distributions.
fn initrd(path: &Path, image: &Image, module: &str) {
    let found = modules(image).into_iter().find(|(place, _)| place.ends_with(module));
    let (_, elf) = found.unwrap();
    let packed = zstd::encode_all(&elf[..], 1).unwrap();
    let release = format!("usr/lib/modules/{}", image.release);
    let packed_name = format!("{release}/{module}.zst");
    let entries: [(&str, ModeFileType, &[u8]); 8] = [
        ("init", ModeFileType::Symlink, b"usr/lib/nothing"),
        ("usr", ModeFileType::Directory, b""),
        ("usr/lib", ModeFileType::Directory, b""),
        ("lib", ModeFileType::Symlink, b"usr/lib"),
        ("usr/lib/hello", ModeFileType::Regular, b"from the initrd"),
        ("usr/lib/modules", ModeFileType::Directory, b""),
        (&release, ModeFileType::Directory, b""),
        (&packed_name, ModeFileType::Regular, &packed),
    ];
    let mut out = Vec::new();
    for (name, kind, data) in entries {
        let builder = Builder::new(name).mode(0o755).set_mode_file_type(kind);
        let mut entry = builder.write(&mut out, data.len() as u32);
        entry.write_all(data).unwrap();
        entry.finish().unwrap();
    }
    trailer(&mut out).unwrap();
    let packed = zstd::encode_all(&out[..], 1).unwrap();
    fs::write(path, packed).unwrap();
}

/// The userland of an image as a directory.
fn userland(dir: &Path, image: &Image) -> UserRootFs {
    let mut unsquashfs = Command::new("unsquashfs");
    unsquashfs.args(["-q", "-n", "-d"]).args([dir, &image.userland]);
    let output = unsquashfs.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    UserRootFs::Dir(dir.to_owned())
}

#[tokio::test]
async fn a_guest_of_own_parts_only_boots_and_is_made_once() {
    let Some(lab) = Lab::open().await else { return };
    let config = lab.config(Vec::new());
    let at = |name: &str| -> PathBuf { lab.work.path().join(name) };
    initrd(&at("initrd"), &config.image, "dm-round-robin.ko");
    let parts = Parts {
        kernel: KernelSource::User(tree(&at("tree"), &config.image, "dm-round-robin.ko")),
        userland: UserlandSource::User(userland(&at("root"), &config.image)),
        initrd: Some(at("initrd")),
    };
    let said = Said::default();
    let image = lab.store.assemble(&parts, &said).await.unwrap();
    assert!(said.has("putting the image together"));
    let again = Said::default();
    assert_eq!(lab.store.assemble(&parts, &again).await.unwrap(), image);
    assert!(!again.has("putting the image together"));
    assert!(!image.lacks_program("multipathd") && image.lacks_program("made-up"));

    let machine = Machine::cold(MachineConfig { image: image.clone(), ..config }).await.unwrap();
    let release = lab::read(&machine, "/proc/sys/kernel/osrelease").await;
    assert_eq!(release.trim(), image.release);
    assert_eq!(lab::read(&machine, "/lib/hello").await, "from the initrd");
    let load = Call::LoadModules { modules: vec!["dm_round_robin".into()] };
    machine.agent().call(load).await.unwrap();
    assert!(lab::read(&machine, "/proc/modules").await.contains("dm_round_robin"));
    let help = lab::run(&machine, &["/usr/sbin/multipath", "-h"]).await;
    assert!(help.contains("multipath-tools"), "{help}");
    machine.kill().await;

    // Different contents of the same size give another image.
    fs::write(at("root/etc/hostname"), "another").unwrap();
    let changed = lab.store.assemble(&parts, &said).await.unwrap();
    assert_ne!((&changed.name, &changed.key), (&image.name, &image.key));
    for name in [&image.name, &changed.name] {
        lab.store.remove(name).unwrap();
    }
}

#[tokio::test]
async fn packages_make_an_image_and_their_content_names_it() {
    let Some(lab) = Lab::open().await else { return };
    let image = lab.config(Vec::new()).image;
    let package = lab.work.path().join("linux-image");
    let lib = package.join("lib/modules").join(&image.release);
    write(
        &package.join("DEBIAN/control"),
        b"Package: linux-image\nVersion: 1\nArchitecture: amd64\nMaintainer: a <a@b.c>\nDescription: x\n",
    );
    let kernel = fs::read(&image.kernel).unwrap();
    write(&package.join(format!("boot/vmlinuz-{}", image.release)), &kernel);
    for (place, elf) in modules(&image) {
        let packed = zstd::encode_all(&elf[..], 1).unwrap();
        write(&lib.join(format!("{place}.zst")), &packed);
    }
    write(&lib.join("modules.builtin"), b"");
    let deb = lab.work.path().join("linux-image.deb");
    let made = Command::new("dpkg-deb").args(["-Zgzip", "-b"]).args([&package, &deb]).output();
    assert!(made.unwrap().status.success());
    let parts = Parts {
        kernel: KernelSource::User(UserKernel::of(&[deb], None).unwrap()),
        userland: UserlandSource::Image("bookworm".into()),
        initrd: None,
    };
    let said = Said::default();
    let made = lab.store.assemble(&parts, &said).await.unwrap();
    assert_eq!(made.release, image.release);
    assert_eq!(fs::read(&made.kernel).unwrap(), kernel);
    assert_eq!(modules(&made), modules(&image));
    assert_eq!(lab.store.assemble(&parts, &said).await.unwrap(), made);
    lab.store.remove(&made.name).unwrap();
}
