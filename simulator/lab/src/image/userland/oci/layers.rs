//! Layers as one tar archive. They are read twice: for the names that are left, and for the contents of those.

use std::{
    collections::BTreeMap,
    io::{self, BufReader, Read, Write},
    path::PathBuf,
};

use tar::{Builder, EntryType, Header};

use super::{
    bad,
    blobs::Blobs,
    merged::{Entry, Kind, Merged, Place},
};
use crate::image::decompress::plain;

/// Most bytes of all layers, unpacked.
const LARGEST: u64 = 64 << 30;

/// The layers of an image, from the lowest.
pub(super) struct Layers {
    pub(super) blobs: Blobs,
    pub(super) digests: Vec<String>,
}

impl Layers {
    /// Writes what is left of all layers: directories first, then files, as each layer has them.
    pub(super) fn write_tar(&self, out: impl Write) -> io::Result<()> {
        let mut merged = Merged::default();
        self.each_entry(|place, name, entry| {
            let (header, link) = (entry.header(), || link_of(entry));
            let what = match header.entry_type() {
                EntryType::Directory => Entry::Node(Kind::Directory),
                EntryType::Symlink => Entry::Node(Kind::Link(link()?)),
                EntryType::Link => Entry::Same(link()?),
                _ => Entry::Node(Kind::File),
            };
            merged.add(name, place, what)
        })?;
        let mut directories = BTreeMap::new();
        let mut names: BTreeMap<Place, Vec<String>> = BTreeMap::new();
        for (name, kind, place) in merged.into_names() {
            match kind {
                Kind::Directory => drop(directories.insert(place, name)),
                Kind::Link(_) | Kind::File => names.entry(place).or_default().push(name),
            }
        }
        let mut tar = Builder::new(out);
        self.write_directories(&directories, &mut tar)?;
        self.each_entry(|place, _, entry| match names.get(&place) {
            Some(names) => write(names, entry, &mut tar),
            None => Ok(()),
        })?;
        tar.into_inner()?.flush()
    }

    /// Writes directories in the order of their names: each comes after the one that it is in.
    fn write_directories(
        &self,
        directories: &BTreeMap<Place, String>,
        tar: &mut Builder<impl Write>,
    ) -> io::Result<()> {
        let mut headers: BTreeMap<&str, Header> = BTreeMap::new();
        self.each_entry(|place, _, entry| {
            if let Some(name) = directories.get(&place) {
                headers.insert(name, entry.header().clone());
            }
            Ok(())
        })?;
        for (name, mut header) in headers {
            header.set_size(0);
            tar.append_data(&mut header, name, io::empty())?;
        }
        Ok(())
    }

    /// Calls `take` with each entry of all layers, and its place and name.
    fn each_entry(
        &self,
        mut take: impl FnMut(Place, &str, &mut tar::Entry<'_, Box<dyn Read>>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut room = LARGEST;
        for (layer, digest) in self.digests.iter().enumerate() {
            let within = |error: io::Error| bad(format!("the layer {digest}: {error}"));
            let plain = unpacked(self.blobs.blob(digest)?).map_err(within)?;
            let mut archive = tar::Archive::new(plain);
            for (number, entry) in archive.entries().map_err(within)?.enumerate() {
                let mut entry = entry.map_err(within)?;
                room = room.checked_sub(entry.size().saturating_add(512)).ok_or_else(|| {
                    bad(format!("there is more than {} GiB in it", LARGEST >> 30))
                })?;
                let name = text(entry.path().map_err(within)?.into_owned())?;
                take((layer, number), &name, &mut entry).map_err(within)?;
            }
        }
        Ok(())
    }
}

/// The archive of a layer. Its entries are counted one by one, but a header can be of any length.
fn unpacked(blob: Box<dyn Read>) -> io::Result<Box<dyn Read>> {
    Ok(Box::new(plain(BufReader::with_capacity(1 << 18, blob))?.take(LARGEST)))
}

/// Writes a file under its first name, and links to that for the others.
fn write(
    names: &[String],
    entry: &mut tar::Entry<'_, Box<dyn Read>>,
    tar: &mut Builder<impl Write>,
) -> io::Result<()> {
    let Some((first, others)) = names.split_first() else { return Ok(()) };
    let mut header = entry.header().clone();
    match header.entry_type() {
        EntryType::Symlink => {
            let target = link_of(entry)?;
            for name in names {
                tar.append_link(&mut header, name, &target)?;
            }
            return Ok(());
        }
        EntryType::Regular | EntryType::Continuous => {
            header.set_size(entry.size());
            tar.append_data(&mut header, first, entry)?;
        }
        // The guest makes its own devices, pipes and sockets.
        _ => return Ok(()),
    }
    for name in others {
        header.set_entry_type(EntryType::Link);
        header.set_size(0);
        tar.append_link(&mut header, name, first)?;
    }
    Ok(())
}

fn link_of(entry: &tar::Entry<'_, Box<dyn Read>>) -> io::Result<String> {
    let target = entry.link_name()?.ok_or_else(|| bad("a link without a target".to_owned()))?;
    text(target.into_owned())
}

fn text(path: PathBuf) -> io::Result<String> {
    let text = path.into_os_string().into_string();
    text.map_err(|name| bad(format!("the name {name:?} is not UTF-8")))
}
