//! The names of source files in their tree.

use std::collections::HashMap;

use super::{BadDebug, Reader, Reading, Unit};

/// Most bytes of a name.
const LONGEST: usize = 1024;

/// A source file in [`Files`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct FileId(u32);

impl FileId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// The source files that lines are of.
#[derive(Debug, Default)]
pub(super) struct Files {
    paths: Vec<Path>,
    ids: HashMap<Path, FileId>,
    /// Those of the unit that is being read, by their number there.
    of_unit: HashMap<u64, Option<FileId>>,
    unit: Option<gimli::DebugInfoOffset>,
}

/// The parts of a path, without `.` and `..`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Path {
    /// Below the directory in which the compiler ran: the top of the tree, or of the tree of what was built.
    Within(Vec<String>),
    /// Elsewhere: in the sources' tree, if that is another one.
    Elsewhere(Vec<String>),
}

impl Path {
    /// A file of a unit, by the directory in which the compiler ran, that of the file, and its name.
    pub(super) fn of(compiled_in: &str, directory: &str, name: &str) -> Path {
        let top = joined(&[compiled_in]);
        let full = joined(&[compiled_in, directory, name]);
        let relative = ![directory, name].iter().any(|it| it.starts_with('/'));
        match full.strip_prefix(&top[..]) {
            Some(below) if relative || !top.is_empty() => Path::Within(below.to_vec()),
            _ => Path::Elsewhere(full),
        }
    }
}

/// The parts of paths one after the other. One that begins with `/` begins anew.
fn joined(paths: &[&str]) -> Vec<String> {
    let from = paths.iter().rposition(|path| path.starts_with('/')).unwrap_or(0);
    let mut parts = Vec::new();
    for part in paths[from..].iter().flat_map(|path| path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part.to_owned()),
        }
    }
    parts
}

impl Files {
    /// The names, in the order of their numbers, from the top of the tree: `drivers/md/dm-mpath.c`.
    ///
    /// A kernel can be built outside of its sources (`make O=`), whose top nobody names. It is the deepest directory that
    /// all files have in common.
    pub(super) fn names(self) -> Vec<String> {
        let elsewhere = self.paths.iter().filter_map(|path| match path {
            Path::Within(_) => None,
            Path::Elsewhere(parts) => Some(parts.split_last().map_or(&[][..], |(_, above)| above)),
        });
        let top = elsewhere.reduce(common).map_or(0, <[String]>::len);
        let name = |path: &Path| match path {
            Path::Within(parts) => parts.join("/"),
            Path::Elsewhere(parts) => parts[top..].join("/"),
        };
        self.paths.iter().map(name).collect()
    }

    pub(super) fn id(&mut self, path: Path) -> FileId {
        *self.ids.entry(path).or_insert_with_key(|path| {
            self.paths.push(path.clone());
            FileId(self.paths.len() as u32 - 1)
        })
    }
}

/// The parts that both begin with.
fn common<'p>(a: &'p [String], b: &'p [String]) -> &'p [String] {
    &a[..a.iter().zip(b).take_while(|(a, b)| a == b).count()]
}

impl<'d> Reading<'_, 'd> {
    /// A file by its number in a unit's line program; `None` if there is no such file.
    pub(super) fn file(
        &mut self,
        unit: &Unit<'d>,
        number: u64,
    ) -> Result<Option<FileId>, BadDebug> {
        if self.files.unit != unit.header.debug_info_offset() {
            self.files.unit = unit.header.debug_info_offset();
            self.files.of_unit.clear();
        }
        if let Some(known) = self.files.of_unit.get(&number) {
            return Ok(*known);
        }
        self.fuel.burn(LONGEST)?;
        let path = self.path(unit, number);
        let id = path.map(|path| self.files.id(path));
        self.files.of_unit.insert(number, id);
        Ok(id)
    }

    fn path(&self, unit: &Unit<'d>, number: u64) -> Option<Path> {
        let header = unit.line_program.as_ref()?.header();
        let file = header.file(number)?;
        let string = |it| self.dwarf.attr_string(unit, it).ok().map(text);
        let compiled_in = unit.comp_dir.map(text).unwrap_or_default();
        // The first is the one in which the compiler ran.
        let directory = match file.directory_index() {
            0 => String::new(),
            _ => file.directory(header).and_then(string).unwrap_or_default(),
        };
        Some(Path::of(&compiled_in, &directory, &string(file.path_name())?))
    }
}

/// A text of the file's, as one that can be shown: without control characters, and not too long.
pub(super) fn text(bytes: Reader<'_>) -> String {
    let bytes = bytes.slice();
    let text = String::from_utf8_lossy(bytes.get(..LONGEST).unwrap_or(bytes));
    text.replace(char::is_control, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(files: &[(&str, &str, &str)]) -> Vec<String> {
        let mut all = Files::default();
        for (compiled_in, directory, name) in files {
            all.id(Path::of(compiled_in, directory, name));
        }
        all.names()
    }

    #[test]
    fn files_are_named_from_the_top_of_the_tree() {
        let mpath = "drivers/md/dm-mpath.c";
        // Debian's, whose directory is relative; a build in the tree, by GCC and by clang.
        assert_eq!(names(&[("debian/build/amd64", "drivers/md", "dm-mpath.c")]), [mpath]);
        assert_eq!(names(&[("/home/me/linux", "./drivers/md/", "dm-mpath.c")]), [mpath]);
        assert_eq!(
            names(&[("/home/me/linux", "", "/home/me/linux/drivers/md/dm-mpath.c")]),
            [mpath]
        );
    }

    #[test]
    fn a_tree_outside_of_the_build_begins_where_its_files_part() {
        let own = ("/home/me/build", "drivers/md", "dm-multipath.mod.c");
        for (source, header) in [
            ("/home/me/linux/drivers/md", "/home/me/linux/include/linux"),
            ("../linux/drivers/md", "../linux/include/linux"),
        ] {
            let files = [
                ("/home/me/build", source, "dm-mpath.c"),
                ("/home/me/build", header, "list.h"),
                own,
            ];
            let expected =
                ["drivers/md/dm-mpath.c", "include/linux/list.h", "drivers/md/dm-multipath.mod.c"];
            assert_eq!(names(&files), expected);
        }
    }

    #[test]
    fn no_name_leads_out_of_the_tree() {
        for file in [("/t", "../../..", "../etc/passwd"), ("", "..", "/../etc/passwd")] {
            let names = names(&[file]);
            assert!(!names[0].starts_with('/') && !names[0].contains(".."), "{names:?}");
        }
    }

    #[test]
    fn what_cannot_be_shown_is_replaced() {
        let name = [b"\x1b[31m", &[b'x'; 2000][..]].concat();
        let shown = text(Reader::new(&name, gimli::LittleEndian));
        assert!(shown.starts_with("\u{fffd}[31mxx") && shown.len() < 1100);
    }
}
