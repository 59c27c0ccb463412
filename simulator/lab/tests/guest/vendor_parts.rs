//! A kernel as RPM packages and a userland as a container image. Both are bookworm's own, as if a vendor had packed
//! them.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use sansim_lab::{
    Image, KernelSource, Machine, MachineConfig, Parts, UserKernel, UserRootFs, UserlandSource,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::lab::{self, Lab, Said};

/// Builds a package of the files in a directory, with rpmbuild.
fn rpm(top: &Path, name: &str, release: &str, needs: &str, files: &Path) -> PathBuf {
    // A version has no hyphen.
    let version = release.replace('-', "_");
    let spec = top.join(format!("{name}.spec"));
    let text = format!(
        "Name: {name}\nVersion: {version}\nRelease: 1\nSummary: x\nLicense: x\nAutoReqProv: no\n\
         Provides: {name}-uname-r = {version}\n{needs}\n%description\nx\n%install\nmkdir -p %{{buildroot}}\n\
         cp -a {}/. %{{buildroot}}\n%files\n/lib/modules/{release}\n",
        files.display()
    );
    fs::write(&spec, text).unwrap();
    let topdir = format!("_topdir {}", top.display());
    let defines =
        [&topdir, "_binary_payload w1.zstdio", "__os_install_post %{nil}", "debug_package %{nil}"];
    let mut rpmbuild = Command::new("rpmbuild");
    rpmbuild.args(["-bb", "--target", "x86_64"]);
    for define in defines {
        rpmbuild.args(["--define", define]);
    }
    let made = rpmbuild.arg(&spec).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    top.join(format!("RPMS/x86_64/{name}-{version}-1.x86_64.rpm"))
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// The kernel of an image as two packages: kernel-core, and the modules.
fn rpms(dir: &Path, image: &Image) -> [PathBuf; 2] {
    let lib = format!("lib/modules/{}", image.release);
    let (core, modules) = (dir.join("core"), dir.join("modules"));
    write(&core.join(&lib).join("vmlinuz"), &fs::read(&image.kernel).unwrap());
    write(&core.join(&lib).join("modules.builtin"), b"");
    let from = image.kernel.with_file_name("modules");
    let list = fs::read_to_string(from.join("modules.dep")).unwrap();
    for place in list.lines().filter_map(|line| Some(line.split_once(':')?.0)) {
        write(&modules.join(&lib).join(place), &fs::read(from.join(place)).unwrap());
    }
    let needs =
        format!("Requires: kernel-modules-core-uname-r = {}", image.release.replace('-', "_"));
    [
        rpm(dir, "kernel-core", &image.release, &needs, &core),
        rpm(dir, "kernel-modules-core", &image.release, "", &modules),
    ]
}

/// A blob of a layout, and its descriptor.
fn blob(layout: &Path, kind: &str, bytes: &[u8]) -> Value {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    write(&layout.join("blobs/sha256").join(&hex), bytes);
    json!({ "mediaType": format!("application/vnd.oci.image.{kind}"),
        "digest": format!("sha256:{hex}"), "size": bytes.len() })
}

/// The userland of an image as a layout of two layers: the upper one has a file of its own, and removes one.
fn layout(dir: &Path, image: &Image) -> PathBuf {
    let (root, layout) = (dir.join("root"), dir.join("layout"));
    let mut unsquashfs = Command::new("unsquashfs");
    unsquashfs.args(["-q", "-n", "-d"]).args([&root, &image.userland]);
    let output = unsquashfs.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let mut low = tar::Builder::new(Vec::new());
    low.follow_symlinks(false);
    low.append_dir_all(".", &root).unwrap();
    let low = zstd::encode_all(&low.into_inner().unwrap()[..], 1).unwrap();
    let mut up = tar::Builder::new(Vec::new());
    for (name, text) in
        [("etc/of-the-vendor", "a tool of the vendor's"), ("etc/udev/.wh.udev.conf", "")]
    {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        up.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&up.into_inner().unwrap()).unwrap();
    let layers = [
        blob(&layout, "layer.v1.tar+zstd", &low),
        blob(&layout, "layer.v1.tar+gzip", &gzip.finish().unwrap()),
    ];
    let config = blob(&layout, "config.v1+json", br#"{"architecture":"amd64","os":"linux"}"#);
    let manifest = json!({ "schemaVersion": 2, "config": config, "layers": layers }).to_string();
    let manifest = blob(&layout, "manifest.v1+json", manifest.as_bytes());
    let index = json!({ "schemaVersion": 2, "manifests": [manifest] }).to_string();
    write(&layout.join("index.json"), index.as_bytes());
    write(&layout.join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#);
    layout
}

#[tokio::test]
async fn rpms_and_a_container_image_make_a_guest() {
    if Command::new("rpmbuild").arg("--version").output().is_err() {
        eprintln!("skipped: rpmbuild was not found (apt-get install rpm)");
        return;
    }
    let Some(lab) = Lab::open().await else { return };
    let config = lab.config(Vec::new());
    let dir = lab.work.path();
    let packages = rpms(dir, &config.image);
    let of = |packages: &[PathBuf], userland: &Path| Parts {
        kernel: KernelSource::User(UserKernel::of(packages, None).unwrap()),
        userland: UserlandSource::User(UserRootFs::of(userland)),
        initrd: None,
    };
    let layout = layout(dir, &config.image);
    let said = Said::default();
    let image = lab.store.assemble(&of(&packages, &layout), &said).await.unwrap();
    assert_eq!(image.release, config.image.release);
    assert!(!image.lacks_program("multipathd") && image.lacks_program("made-up"));

    let machine = Machine::cold(MachineConfig { image: image.clone(), ..config }).await.unwrap();
    let release = lab::read(&machine, "/proc/sys/kernel/osrelease").await;
    assert_eq!(release.trim(), image.release);
    let shown = lab::run(&machine, &["cat", "/etc/of-the-vendor"]).await;
    assert_eq!(shown, "a tool of the vendor's");
    let shown = lab::run(&machine, &["cat", "/etc/udev/udev.conf"]).await;
    assert!(shown.contains("No such file"), "{shown}");
    machine.kill().await;
    lab.store.remove(&image.name).unwrap();

    // The same image as an archive, and a kernel without its modules.
    let archive = dir.join("image.tar");
    let mut tar = tar::Builder::new(File::create(&archive).unwrap());
    tar.append_dir_all(".", &layout).unwrap();
    tar.into_inner().unwrap();
    let image = lab.store.assemble(&of(&packages, &archive), &said).await.unwrap();
    assert!(!image.lacks_program("multipathd"));
    lab.store.remove(&image.name).unwrap();
    let error = lab.store.assemble(&of(&packages[..1], &layout), &said).await.unwrap_err();
    assert!(error.to_string().contains("no modules: give kernel-modules-core-6.1"), "{error}");
}
