//! Within a crate, no cycle of imports spans more than one folder: files may import each other in a cycle only
//! below the same top-level module.
//!
//! The test parses the sources. It counts every path that begins with `crate`, `super` or `self`, in `use` and
//! elsewhere; a re-exported name counts as an import of the module that defines it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use syn::{
    Attribute, File, ItemMod, ItemUse, Meta, UseTree,
    visit::{self, Visit},
};

/// The path of a module; empty for the crate's root.
type Module = Vec<String>;
/// The segments of a path.
type Names = Vec<String>;

/// The paths in a file.
#[derive(Default)]
struct Paths {
    /// Paths in `use` items, absolute or relative.
    used: Vec<Names>,
    /// Paths elsewhere in the code.
    named: Vec<Names>,
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        flatten(&item.tree, &mut Names::new(), &mut self.used);
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !item.attrs.iter().any(is_for_tests) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.named.push(path.segments.iter().map(|part| part.ident.to_string()).collect());
        visit::visit_path(self, path);
    }
}

fn is_for_tests(attribute: &Attribute) -> bool {
    let Meta::List(list) = &attribute.meta else { return false };
    let condition = list.tokens.to_string();
    list.path.is_ident("cfg") && (condition == "test" || condition.starts_with("all (test ,"))
}

/// Every path of a `use` item.
fn flatten(tree: &UseTree, before: &mut Names, all: &mut Vec<Names>) {
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, all);
            before.pop();
        }
        UseTree::Group(group) => group.items.iter().for_each(|it| flatten(it, before, all)),
        UseTree::Name(name) => all.push([&before[..], &[name.ident.to_string()]].concat()),
        UseTree::Rename(name) => all.push([&before[..], &[name.ident.to_string()]].concat()),
        UseTree::Glob(_) => all.push([&before[..], &["*".to_owned()]].concat()),
    }
}

struct Crate {
    files: BTreeMap<Module, Paths>,
    /// The names that each module re-exports, with the module that defines them.
    exports: BTreeMap<Module, BTreeMap<String, Module>>,
}

impl Crate {
    fn read(sources: &Path) -> Crate {
        let mut files = BTreeMap::new();
        for file in rust_files(sources) {
            let relative = file.strip_prefix(sources).unwrap().with_extension("");
            let mut module: Module =
                relative.iter().map(|part| part.to_string_lossy().into_owned()).collect();
            if module.last().is_some_and(|last| last == "tests") || module == ["testing"] {
                continue;
            }
            if module == ["lib"] || module == ["main"] {
                module.clear();
            }
            let text = fs::read_to_string(&file).unwrap();
            let parsed: File =
                syn::parse_file(&text).unwrap_or_else(|why| panic!("{}: {why}", file.display()));
            let mut paths = Paths::default();
            paths.visit_file(&parsed);
            files.insert(module, paths);
        }
        let mut this = Crate { files, exports: BTreeMap::new() };
        this.exports = this.files.keys().map(|it| (it.clone(), this.exported(it))).collect();
        this
    }

    /// The names that a module re-exports from modules below it.
    fn exported(&self, module: &Module) -> BTreeMap<String, Module> {
        let mut exported = BTreeMap::new();
        for path in &self.files[module].used {
            let path = path.strip_prefix(&["self".to_owned()][..]).unwrap_or(path);
            let (below, rest) = self.descend(module.clone(), path);
            if below != *module
                && let [name] = rest
            {
                exported.insert(name.clone(), below);
            }
        }
        exported
    }

    /// Follows the names from module to module as far as possible; also returns the remaining names.
    fn descend<'n>(&self, mut module: Module, mut names: &'n [String]) -> (Module, &'n [String]) {
        while let [first, rest @ ..] = names {
            let below = [&module[..], std::slice::from_ref(first)].concat();
            if !self.files.contains_key(&below) {
                break;
            }
            (module, names) = (below, rest);
        }
        (module, names)
    }

    /// The module that a path in `from` leads to, if it is in this crate.
    fn target(&self, from: &Module, path: &[String]) -> Option<Module> {
        let (mut module, mut names) = match path.first()?.as_str() {
            "crate" => (Module::new(), &path[1..]),
            "self" => (from.clone(), &path[1..]),
            "super" => {
                let up = path.iter().take_while(|name| *name == "super").count();
                (from[..from.len().checked_sub(up)?].to_vec(), &path[up..])
            }
            _ => return None,
        };
        // A name may be re-exported several times; the limit guards against an endless loop.
        for _ in 0..8 {
            (module, names) = self.descend(module, names);
            let exported = self.exports.get(&module)?;
            match names.first().and_then(|name| exported.get(name).or_else(|| exported.get("*"))) {
                Some(other) if *other != module => module.clone_from(other),
                _ => break,
            }
        }
        (module != *from).then_some(module)
    }

    /// The modules that each module imports.
    fn imports(&self) -> BTreeMap<Module, BTreeSet<Module>> {
        let of = |(module, paths): (&Module, &Paths)| {
            let all = paths.used.iter().chain(&paths.named);
            (module.clone(), all.filter_map(|path| self.target(module, path)).collect())
        };
        self.files.iter().map(of).collect()
    }
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// All modules that a module imports, directly or indirectly.
fn reachable(imports: &BTreeMap<Module, BTreeSet<Module>>, from: &Module) -> BTreeSet<Module> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&Module> = imports[from].iter().collect();
    while let Some(module) = open.pop() {
        if seen.insert(module.clone()) {
            open.extend(&imports[module]);
        }
    }
    seen
}

/// Pairs of modules that import each other, directly or indirectly, and are not below the same top-level
/// module.
fn circles(imports: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<String> {
    let reach: BTreeMap<_, _> = imports.keys().map(|it| (it, reachable(imports, it))).collect();
    let mut found = Vec::new();
    for (one, from_one) in &reach {
        for other in from_one.iter().filter(|other| one < other && reach[other].contains(*one)) {
            if one.first() != other.first() {
                found.push(format!("{} <-> {}", one.join("::"), other.join("::")));
            }
        }
    }
    found
}

#[test]
fn no_circle_of_imports_spans_more_than_a_folder() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut crates = 0;
    for directory in ["simulator", "guest-kernel"] {
        for entry in fs::read_dir(top.join(directory)).unwrap() {
            let sources = entry.unwrap().path().join("src");
            if !sources.join("lib.rs").exists() && !sources.join("main.rs").exists() {
                continue;
            }
            crates += 1;
            let found = circles(&Crate::read(&sources).imports());
            assert!(found.is_empty(), "{}: {found:#?}", sources.display());
        }
    }
    assert!(crates > 10, "{crates}");
}

#[test]
fn a_circle_is_found_whichever_way_it_is_written() {
    let circle = |files: &[(&str, &str)]| {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let file = directory.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        !circles(&Crate::read(directory.path()).imports()).is_empty()
    };
    let root = ("lib.rs", "mod a; mod b; pub use a::A; pub use b::*;");
    assert!(circle(&[root, ("a.rs", "use crate::b::B;"), ("b.rs", "use super::a;")]));
    assert!(circle(&[root, ("a.rs", "fn f(_: crate::b::B) {}"), ("b.rs", "use crate::A;")]));
    let below = ("b/c.rs", "use crate::A;");
    assert!(circle(&[root, ("a.rs", "use crate::b::c;"), ("b.rs", "mod c;"), below]));
    assert!(!circle(&[root, ("a.rs", "use crate::b::B;"), ("b.rs", "use std::fmt;")]));
    let in_tests = ("b.rs", "#[cfg(test)] mod tests { use crate::A; }");
    assert!(!circle(&[root, ("a.rs", "use crate::b::B;"), in_tests]));
    let in_a_folder = [root, ("a.rs", "mod c; use self::c::C;"), ("a/c.rs", "use super::A;")];
    assert!(!circle(&[in_a_folder[0], in_a_folder[1], in_a_folder[2], ("b.rs", "")]));
}
