//! A container image as an OCI image layout (image-spec, image-layout.md): a directory, or a tar archive of one, as
//! `podman save --format oci-archive`, `skopeo copy … oci:DIR` and `docker save` (since 25) write it.
//!
//! Blobs are called by their digests, and every blob is compared with its name before it is used.

mod blobs;
mod layers;
mod merged;

use std::{
    io::{self, Write},
    path::Path,
};

use serde::{Deserialize, de::DeserializeOwned};

use self::{blobs::Blobs, layers::Layers};

/// Most bytes of an index or manifest.
const LARGEST_DOCUMENT: u64 = 4 << 20;
/// Most layers of an image.
const MOST_LAYERS: usize = 512;
/// How deep an index can be in another.
const DEEPEST: usize = 4;
/// The platform of the guest.
const ARCHITECTURE: &str = "amd64";
/// Where the name of an image is in its annotations.
const NAME: &str = "org.opencontainers.image.ref.name";

/// The files that make a directory or an archive an image layout.
pub(super) const INDEX: &str = "index.json";
pub(super) const LAYOUT: &str = "oci-layout";

/// Refers to a blob (image-spec, descriptor.md).
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    #[serde(default)]
    media_type: String,
    digest: String,
    size: u64,
    platform: Option<Platform>,
    #[serde(default)]
    annotations: std::collections::BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Platform {
    architecture: String,
    os: String,
}

/// `index.json`, or an index for several platforms.
#[derive(Debug, Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
}

#[derive(Debug, Deserialize)]
struct Manifest {
    layers: Vec<Descriptor>,
}

impl Descriptor {
    fn is_index(&self) -> bool {
        self.media_type.ends_with(".index.v1+json") || self.media_type.contains("manifest.list")
    }

    /// Whether it is for the guest, as far as it says for what it is.
    fn is_for_guest(&self) -> bool {
        let fits = |it: &Platform| it.os == "linux" && it.architecture == ARCHITECTURE;
        self.platform.as_ref().is_none_or(fits)
    }

    fn name(&self) -> &str {
        self.annotations.get(NAME).map_or(&self.digest, String::as_str)
    }
}

/// Whether a directory is an image layout.
pub(super) fn is_layout(dir: &Path) -> bool {
    dir.join(INDEX).is_file() && dir.join(LAYOUT).is_file()
}

/// Writes the root file system of the image in a layout as a tar archive.
///
/// # Errors
/// When the layout is damaged, or has no image or several for the guest.
pub(super) fn write_tar(layout: &Path, out: impl Write) -> io::Result<()> {
    let blobs = Blobs::open(layout)?;
    let index: Index = json(INDEX, &blobs.index()?)?;
    let manifest = find(&blobs, index, 0)?;
    if manifest.layers.is_empty() || manifest.layers.len() > MOST_LAYERS {
        return Err(bad(format!("it has {} layers", manifest.layers.len())));
    }
    for layer in &manifest.layers {
        blobs.check(&layer.digest, layer.size)?;
    }
    let digests = manifest.layers.into_iter().map(|layer| layer.digest).collect();
    Layers { blobs, digests }.write_tar(out)
}

/// The manifest of the only image for the guest.
fn find(blobs: &Blobs, index: Index, depth: usize) -> io::Result<Manifest> {
    let all = index.manifests.len();
    let fit: Vec<Descriptor> =
        index.manifests.into_iter().filter(Descriptor::is_for_guest).collect();
    let one = match &fit[..] {
        [one] => one,
        [] => {
            return Err(bad(format!("none of its {all} images is for linux/{ARCHITECTURE}")));
        }
        several => {
            let names: Vec<&str> = several.iter().take(8).map(Descriptor::name).collect();
            return Err(bad(format!("it has several images: {}", names.join(", "))));
        }
    };
    blobs.check(&one.digest, one.size)?;
    let bytes = blobs.document(&one.digest)?;
    match one.is_index() {
        true if depth >= DEEPEST => Err(bad("its indexes are nested too deep".to_owned())),
        true => find(blobs, json(&one.digest, &bytes)?, depth + 1),
        false => json(&one.digest, &bytes),
    }
}

fn json<T: DeserializeOwned>(name: &str, bytes: &[u8]) -> io::Result<T> {
    serde_json::from_slice(bytes).map_err(|error| bad(format!("{name}: {error}")))
}

fn bad(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests;
