use std::{
    collections::BTreeMap,
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use serde_json::json;
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

use super::*;
use crate::image::{decompress::tests::compressed, userland::UserRootFs};

/// What a layer has: a name, and the contents of a file, or a whiteout.
type Files<'a> = &'a [(&'a str, &'a str)];

fn layer(files: Files<'_>) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    for (name, text) in files {
        let mut header = Header::new_gnu();
        header.set_mode(0o755);
        header.set_size(text.len() as u64);
        // The crate refuses names that leave the root: they are written into the header.
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(if name.ends_with('/') {
            EntryType::Directory
        } else {
            EntryType::Regular
        });
        header.set_cksum();
        tar.append(&header, text.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap()
}

/// A layout that is being made.
struct Layout(PathBuf);

impl Layout {
    fn new(dir: &Path) -> Layout {
        fs::create_dir_all(dir.join("blobs/sha256")).unwrap();
        fs::write(dir.join(LAYOUT), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        Layout(dir.to_owned())
    }

    fn path_of(&self, descriptor: &serde_json::Value) -> PathBuf {
        let digest = descriptor["digest"].as_str().unwrap();
        self.0.join("blobs").join(digest.replace(':', "/"))
    }

    fn blob(&self, kind: &str, bytes: &[u8]) -> serde_json::Value {
        let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let descriptor = json!({ "mediaType": format!("application/vnd.oci.image.{kind}"),
            "digest": format!("sha256:{hex}"), "size": bytes.len() });
        fs::write(self.path_of(&descriptor), bytes).unwrap();
        descriptor
    }

    /// Adds an image with these layers.
    fn image(&self, layers: &[Vec<u8>]) -> serde_json::Value {
        let layers: Vec<_> = layers.iter().map(|it| self.blob("layer.v1.tar", it)).collect();
        let config = self.blob("config.v1+json", br#"{"architecture":"amd64","os":"linux"}"#);
        let manifest = json!({ "schemaVersion": 2, "config": config, "layers": layers });
        self.blob("manifest.v1+json", manifest.to_string().as_bytes())
    }

    fn index(&self, manifests: &[serde_json::Value]) {
        let index = json!({ "schemaVersion": 2, "manifests": manifests });
        fs::write(self.0.join(INDEX), index.to_string()).unwrap();
    }
}

/// The files of the image, with their contents.
fn files(layout: &Path) -> io::Result<BTreeMap<String, String>> {
    let mut out = Vec::new();
    write_tar(layout, &mut out)?;
    let mut files = BTreeMap::new();
    for entry in tar::Archive::new(&out[..]).entries()? {
        let mut entry = entry?;
        let name = entry.path()?.to_string_lossy().into_owned();
        let mut text = String::new();
        entry.read_to_string(&mut text)?;
        files.insert(name, text);
    }
    Ok(files)
}

const LOW: Files<'_> =
    &[("usr/bin/", ""), ("usr/bin/a", "old"), ("usr/bin/b", "b"), ("etc/x", "x")];
const UP: Files<'_> = &[("usr/bin/a", "new"), ("etc/.wh.x", ""), ("usr/", "")];

fn expected() -> BTreeMap<String, String> {
    let files = [("usr", ""), ("usr/bin", ""), ("usr/bin/a", "new"), ("usr/bin/b", "b")];
    files.map(|(name, text)| (name.to_owned(), text.to_owned())).into()
}

#[test]
fn layers_lie_upon_each_other_however_they_are_packed() {
    let plain = (layer(LOW), layer(UP));
    let packed = compressed(&plain.0).into_iter().zip(compressed(&plain.1));
    let packed =
        packed.map(|((_, low), (_, up))| [low, up]).chain([[plain.0.clone(), plain.1.clone()]]);
    for layers in packed {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(dir.path());
        layout.index(&[layout.image(&layers)]);
        assert_eq!(files(dir.path()).unwrap(), expected());
    }
}

#[test]
fn an_archive_of_a_layout_is_the_same_image() {
    let dir = tempfile::tempdir().unwrap();
    let top = dir.path().join("layout");
    let layout = Layout::new(&top);
    layout.index(&[layout.image(&[layer(LOW), layer(UP)])]);
    let mut tar = Builder::new(Vec::new());
    tar.append_dir_all(".", &top).unwrap();
    let tar = tar.into_inner().unwrap();
    let path = dir.path().join("image");
    for bytes in compressed(&tar).into_iter().map(|(_, packed)| packed).chain([tar.clone()]) {
        fs::write(&path, bytes).unwrap();
        assert_eq!(UserRootFs::of(&path), UserRootFs::Oci(path.clone()));
        assert_eq!(files(&path).unwrap(), expected());
    }
    assert_eq!(UserRootFs::of(&top), UserRootFs::Oci(top.clone()));
    fs::write(&path, layer(LOW)).unwrap();
    assert_eq!(UserRootFs::of(&path), UserRootFs::Tar(path.clone()));
    assert_eq!(UserRootFs::of(dir.path()), UserRootFs::Dir(dir.path().to_owned()));
}

#[test]
fn of_several_platforms_the_guests_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let layout = Layout::new(dir.path());
    let on = |architecture: &str, layers: &[Vec<u8>]| {
        let mut image = layout.image(layers);
        image["platform"] = json!({ "os": "linux", "architecture": architecture });
        image
    };
    let (arm, amd) = (on("arm64", &[layer(UP)]), on("amd64", &[layer(LOW), layer(UP)]));
    let inner = json!({ "schemaVersion": 2, "manifests": [arm, amd] });
    layout.index(&[layout.blob("index.v1+json", inner.to_string().as_bytes())]);
    assert_eq!(files(dir.path()).unwrap(), expected());
    layout.index(std::slice::from_ref(&arm));
    assert!(files(dir.path()).unwrap_err().to_string().contains("is for linux/amd64"));
    layout.index(&[amd.clone(), amd]);
    assert!(files(dir.path()).unwrap_err().to_string().contains("several images: sha256:"));
}

#[test]
fn what_is_damaged_or_leads_out_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let layout = Layout::new(dir.path());
    let refused = |part: &str| {
        let why = files(dir.path()).unwrap_err().to_string();
        assert!(why.contains(part), "{why:?} does not say {part:?}");
    };
    refused("it has no index.json");
    let image = layout.image(&[layer(LOW)]);
    let with = |key: &str, value: serde_json::Value| {
        let mut image = image.clone();
        image[key] = value;
        image
    };
    layout.index(&[with("digest", json!("sha256:../../../../etc/passwd"))]);
    refused("is no digest");
    layout.index(&[with("digest", json!("sha256:00"))]);
    refused("it has no blobs/sha256/00");
    layout.index(&[with("digest", json!("md5:00"))]);
    fs::create_dir(dir.path().join("blobs/md5")).unwrap();
    fs::write(dir.path().join("blobs/md5/00"), "").unwrap();
    refused("digests are md5");
    layout.index(&[with("size", json!(1))]);
    refused("is damaged");
    let escaping = layout.image(&[layer(&[("usr/../../etc/passwd", "x")])]);
    layout.index(&[escaping]);
    refused("leads out of the image");
    layout.index(&[layout.image(&[b"BZh91AY".to_vec()])]);
    refused("packed with bzip2");
    layout.index(&[layout.image(&[vec![b'x'; 2048]])]);
    refused("the layer sha256:");
    layout.index(std::slice::from_ref(&image));
    assert!(files(dir.path()).is_ok());
    let path = layout.path_of(&layout.blob("layer.v1.tar", &layer(LOW)));
    let mut bytes = fs::read(&path).unwrap();
    bytes[600] ^= 1;
    fs::write(&path, bytes).unwrap();
    refused("its digest is another");
    // An index in an index, and so on.
    let mut inner = image;
    for _ in 0..DEEPEST + 1 {
        let index = json!({ "schemaVersion": 2, "manifests": [inner] });
        inner = layout.blob("index.v1+json", index.to_string().as_bytes());
    }
    layout.index(&[inner]);
    refused("nested too deep");
}

/// Whatever an archive holds is an image, or refused.
fn anything(bytes: &[u8]) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    io::Write::write_all(&mut file, bytes).unwrap();
    let _ = write_tar(file.path(), io::sink());
    // As a layer: digests would keep most of it out.
    let dir = tempfile::tempdir().unwrap();
    let layout = Layout::new(dir.path());
    layout.index(&[layout.image(&[layer(LOW), bytes.to_vec()])]);
    let _ = write_tar(dir.path(), io::sink());
}

#[test]
fn no_bytes_in_an_image_make_it_panic() {
    sansim_fuzz::fuzz("oci", anything);
}
