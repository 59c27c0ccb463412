//! What is left of layers that lie upon each other: names only (image-spec, layer.md).

use std::{collections::BTreeMap, io};

use super::bad;

/// Most files of all layers.
const MOST: usize = 4 << 20;
/// Longest name, in bytes: PATH_MAX.
const LONGEST: usize = 4096;
/// Most symbolic links that are followed, as in the kernel (MAXSYMLINKS).
const MOST_LINKS: usize = 40;
/// Marks a file of lower layers as removed, and a directory as one that has nothing of lower layers.
const WHITEOUT: &str = ".wh.";
const OPAQUE: &str = ".wh..wh..opq";

/// The place of an entry: the layer, from the lowest, and the number in its archive.
pub(super) type Place = (usize, usize);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Directory,
    /// A symbolic link with its target.
    Link(String),
    /// Anything else.
    File,
}

/// An entry of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    Node(Kind),
    /// A hard link to this name.
    Same(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Node {
    kind: Kind,
    /// The layer that put it there.
    layer: usize,
    /// The entry with its contents: that of another name, for a hard link.
    place: Place,
}

/// The files by name, after some layers.
#[derive(Debug, Default)]
pub(super) struct Merged {
    nodes: BTreeMap<String, Node>,
    seen: usize,
}

impl Merged {
    /// Adds the next entry of a layer. Layers come from the lowest to the highest.
    ///
    /// # Errors
    /// When its name leads out of the root, or there is too much.
    pub(super) fn add(&mut self, name: &str, place: Place, entry: Entry) -> io::Result<()> {
        self.seen += 1;
        if self.seen > MOST {
            return Err(bad("there are too many files in it".to_owned()));
        }
        let Some((parent, last)) = self.place_of(name)? else { return Ok(()) };
        let within = |last: &str| {
            if parent.is_empty() { last.to_owned() } else { format!("{parent}/{last}") }
        };
        let layer = place.0;
        if last == OPAQUE {
            self.remove_below(&parent, layer);
            return Ok(());
        }
        if let Some(removed) = last.strip_prefix(WHITEOUT) {
            let removed = within(removed);
            self.remove_below(&removed, layer);
            if self.nodes.get(&removed).is_some_and(|node| node.layer < layer) {
                self.nodes.remove(&removed);
            }
            return Ok(());
        }
        let name = within(&last);
        let node = match entry {
            Entry::Node(kind) => Node { kind, layer, place },
            Entry::Same(target) => match self.target(&target)? {
                Some(node) => Node { layer, ..node },
                None => {
                    return Err(bad(format!("{name} is a link to {target}, which is not there")));
                }
            },
        };
        if node.kind != Kind::Directory {
            self.remove_below(&name, usize::MAX);
        }
        self.nodes.insert(name, node);
        Ok(())
    }

    /// The names that are left, with the entry that has the contents of each.
    pub(super) fn into_names(self) -> impl Iterator<Item = (String, Kind, Place)> {
        self.nodes.into_iter().map(|(name, node)| (name, node.kind, node.place))
    }

    fn target(&self, name: &str) -> io::Result<Option<Node>> {
        let Some((parent, last)) = self.place_of(name)? else { return Ok(None) };
        let name = if parent.is_empty() { last } else { format!("{parent}/{last}") };
        Ok(self.nodes.get(&name).filter(|node| node.kind != Kind::Directory).cloned())
    }

    /// Removes what is below a name and of a layer below this one.
    fn remove_below(&mut self, name: &str, layer: usize) {
        let prefix = if name.is_empty() { String::new() } else { format!("{name}/") };
        let below =
            self.nodes.range(prefix.clone()..).take_while(|(it, _)| it.starts_with(&prefix));
        let gone: Vec<String> =
            below.filter(|(_, node)| node.layer < layer).map(|(it, _)| it.clone()).collect();
        gone.iter().for_each(|it| drop(self.nodes.remove(it)));
    }

    /// The directory of a name, with the links on the way followed, and the last part of the name; `None` for the
    /// root.
    fn place_of(&self, name: &str) -> io::Result<Option<(String, String)>> {
        if name.len() > LONGEST || name.contains('\0') {
            return Err(bad("the name of a file is too long".to_owned()));
        }
        let mut parts: Vec<String> = Vec::new();
        for part in name.split('/').filter(|part| !part.is_empty() && *part != ".") {
            if part == ".." {
                return Err(bad(format!("{name:?} leads out of the image")));
            }
            parts.push(part.to_owned());
        }
        let Some(last) = parts.pop() else { return Ok(None) };
        Ok(Some((self.follow(parts, name)?, last)))
    }

    /// A directory without links on the way. What leads out of the root ends there, as in a container.
    fn follow(&self, parts: Vec<String>, name: &str) -> io::Result<String> {
        let mut left: Vec<String> = parts.into_iter().rev().collect();
        let (mut at, mut links): (Vec<String>, usize) = (Vec::new(), 0);
        while let Some(part) = left.pop() {
            if part == ".." {
                at.pop();
                continue;
            }
            at.push(part);
            let Some(Node { kind: Kind::Link(target), .. }) = self.nodes.get(&at.join("/")) else {
                continue;
            };
            links += 1;
            if links > MOST_LINKS || target.len() > LONGEST {
                return Err(bad(format!("{name:?} is behind too many links")));
            }
            at.pop();
            if target.starts_with('/') {
                at.clear();
            }
            let steps = target.split('/').filter(|part| !part.is_empty() && *part != ".");
            left.extend(steps.rev().map(str::to_owned));
        }
        Ok(at.join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Entry {
        Entry::Node(Kind::File)
    }

    /// Adds the entries of each layer, and gives the names that are left with their entries.
    fn merged(layers: &[&[(&str, Entry)]]) -> io::Result<Vec<(String, Place)>> {
        let mut merged = Merged::default();
        for (layer, entries) in layers.iter().enumerate() {
            for (number, (name, entry)) in entries.iter().enumerate() {
                merged.add(name, (layer, number), entry.clone())?;
            }
        }
        Ok(merged.into_names().map(|(name, _, place)| (name, place)).collect())
    }

    fn names(layers: &[&[(&str, Entry)]]) -> Vec<String> {
        merged(layers).unwrap().into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn whiteouts_hide_lower_layers_only() {
        let low = [("etc/a", file()), ("etc/b", file()), ("opt/x/y", file()), ("usr/z", file())];
        let up = [
            ("./etc/new", file()),
            ("etc/.wh.a", file()),
            ("etc/a/below", file()),
            ("opt/x/.wh..wh..opq", file()),
        ];
        assert_eq!(names(&[&low, &up]), ["etc/a/below", "etc/b", "etc/new", "usr/z"]);
        let order = [("d/new", file()), ("d/.wh..wh..opq", file())];
        assert_eq!(names(&[&[("d/old", file())], &order]), ["d/new"]);
    }

    #[test]
    fn a_file_replaces_a_directory_with_all_that_is_in_it() {
        let dir = Entry::Node(Kind::Directory);
        let low = [("a", dir.clone()), ("a/b", file()), ("a2", file())];
        assert_eq!(names(&[&low, &[("a", file())]]), ["a", "a2"]);
        assert_eq!(names(&[&low, &[("a", dir)]]), ["a", "a/b", "a2"]);
    }

    #[test]
    fn a_hard_link_keeps_its_contents_when_the_other_name_goes() {
        let low = [("a", file()), ("b", Entry::Same("a".into()))];
        assert_eq!(merged(&[&low, &[(".wh.a", file())]]).unwrap(), [("b".to_owned(), (0, 0))]);
        let error = merged(&[&[("b", Entry::Same("nothing".into()))]]).unwrap_err();
        assert!(error.to_string().contains("which is not there"), "{error}");
    }

    #[test]
    fn links_on_the_way_are_followed_within_the_root_and_names_that_leave_it_are_refused() {
        let link = |to: &str| Entry::Node(Kind::Link(to.into()));
        let low = [("bin", link("usr/bin")), ("out", link("../../etc")), ("abs", link("/usr"))];
        let up = [("bin/sh", file()), ("out/passwd", file()), ("abs/x", file())];
        let left = names(&[&low, &up]);
        assert_eq!(left, ["abs", "bin", "etc/passwd", "out", "usr/bin/sh", "usr/x"]);
        for name in ["../etc/passwd", "a/../../b", "/../x"] {
            let error = merged(&[&[(name, file())]]).unwrap_err();
            assert!(error.to_string().contains("leads out of the image"), "{error}");
        }
        let circle = [("l", link("l")), ("l/x", file())];
        assert!(merged(&[&circle]).unwrap_err().to_string().contains("too many links"));
    }
}
