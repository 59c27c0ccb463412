//! The modules of this crate import only modules on lower floors, no file imports itself
//! indirectly, and only `families.rs` knows which families of arrays exist.
//!
//! The sources are parsed as text: every path that begins with `crate::`, `super::`, `self::` or
//! the name of a submodule, in `use` declarations and elsewhere, except in comments and tests.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// A group of modules at the crate's root.
struct Floor {
    name: &'static str,
    /// A module may import modules on lower floors and earlier modules in this list.
    modules: &'static [&'static str],
}

/// From the lowest floor to the highest.
const HOUSE: [Floor; 6] = [
    Floor {
        name: "words",
        modules: &[
            "ids",
            "names",
            "hash",
            "encoding",
            "sense",
            "status",
            "task_management",
            "operation",
            "command",
            "completion",
            "wire",
            "notice",
            "target",
            "port_groups",
            "controller",
            "ownership",
            "access_state",
            "condition",
            "inquiry_page",
            "lun_config",
            "error",
            "identity",
            "canary",
        ],
    },
    Floor { name: "a LUN", modules: &["reservoir", "store", "attention", "reservation", "unit"] },
    Floor { name: "families", modules: &["personality", "families"] },
    Floor { name: "what a LUN answers", modules: &["scsi"] },
    Floor { name: "what is told and what goes wrong", modules: &["observe", "fault"] },
    Floor { name: "the array", modules: &["config", "array"] },
];

/// Modules that only the root of the crate refers to.
const ROOT: [&str; 2] = ["lib", "testing"];

/// The modules that may import `families`: the configuration, and the array, which asks it for the
/// personality.
const ASK_FOR_FAMILIES: [&str; 2] = ["config", "array"];
/// The only item of `families` that these modules may import.
const FAMILY: &str = "PersonalityConfig";
/// Modules that all families may import. Families must not import each other.
const SHARED_BY_FAMILIES: [&str; 2] = ["start_stop", "unit_path_report"];

/// One recursive type in three files, the only permitted cycle: an action can add a fault rule, and
/// a fault rule can contain an action.
const RECURSIVE: [&str; 3] = ["fault/action.rs", "fault/rule.rs", "fault/then.rs"];

/// A source file and its imports, as paths relative to the crate's root.
struct Source {
    file: String,
    module: Vec<String>,
    imports: Vec<Vec<String>>,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&root, &mut files);
    files.sort();
    let read = |path: &PathBuf| {
        let below = path.strip_prefix(&root).expect("below src");
        let file = below.to_str().expect("UTF-8").to_owned();
        let module: Vec<_> = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        let text = fs::read_to_string(path).expect("a source file");
        let imports = imports(&code(&text), &module);
        Source { file, module, imports }
    };
    files.iter().map(read).filter(|source| !is_test(&source.file)).collect()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|it| it == "rs") {
            files.push(path);
        }
    }
}

fn is_test(file: &str) -> bool {
    file.ends_with("tests.rs") || file.contains("tests/") || file == "testing.rs"
}

/// Strips the comments and the tests from a source.
fn code(text: &str) -> String {
    const TESTS: &str = "#[cfg(test)]\nmod tests {";
    let (before, tests) = text.split_once(TESTS).unwrap_or((text, ""));
    let behind = tests.split_once("\n}\n").map_or("", |(_, behind)| behind);
    let lines = before.lines().chain(behind.lines());
    let lines = lines.map(|line| line.split_once("//").map_or(line, |(code, _)| code));
    lines.collect::<Vec<_>>().join("\n")
}

/// Every path in a module's source that begins with `crate`, `super`, `self` or a submodule,
/// relative to the crate's root.
fn imports(code: &str, module: &[String]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("::") {
        let from = code[..at].rfind(|c: char| !is_name(c)).map_or(0, |before| before + 1);
        let (first, before) = (&code[from..at], code[..from].chars().next_back());
        let base = match first {
            "crate" => Vec::new(),
            "self" if before != Some(':') => module.to_vec(),
            "super" if before != Some(':') => module[..module.len() - 1].to_vec(),
            child if before != Some(':') && code.contains(&format!("mod {child};\n")) => {
                [module, &[child.to_owned()]].concat()
            }
            _ => continue,
        };
        let mut rest = &code[at + 2..];
        paths(&mut rest, base, &mut found);
    }
    found
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Parses a `use` tree or a plain path, and adds every path in it to `found`.
fn paths(rest: &mut &str, mut base: Vec<String>, found: &mut Vec<Vec<String>>) {
    loop {
        *rest = rest.trim_start();
        if let Some(list) = rest.strip_prefix('{') {
            *rest = list;
            while !rest.trim_start().starts_with('}') {
                paths(rest, base.clone(), found);
                *rest = rest.trim_start();
                *rest = rest.strip_prefix(',').unwrap_or(rest);
            }
            *rest = &rest.trim_start()[1..];
            return;
        }
        let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        match &rest[..end] {
            "super" => drop(base.pop()),
            "self" | "" => {}
            name => base.push(name.to_owned()),
        }
        *rest = rest[end..].trim_start_matches('*');
        match rest.strip_prefix("::") {
            Some(further) => *rest = further,
            None => return found.push(base),
        }
    }
}

/// The floor of every module and its position there.
fn places() -> BTreeMap<&'static str, (usize, &'static str)> {
    let all = HOUSE.iter().flat_map(|floor| floor.modules.iter().map(|it| (*it, floor.name)));
    all.enumerate().map(|(place, (module, floor))| (module, (place, floor))).collect()
}

#[test]
fn modules_import_downwards_only() {
    let places = places();
    let mut wrong = Vec::new();
    for Source { file, module, imports } in sources() {
        let from = module[0].as_str();
        if ROOT.contains(&from) {
            continue;
        }
        let Some((place, floor)) = places.get(from) else {
            wrong.push(format!("{file}: `{from}` is new; add it to HOUSE, behind what it imports"));
            continue;
        };
        for import in imports {
            let Some(to) = import.first().filter(|to| *to != from) else { continue };
            match places.get(to.as_str()) {
                None => wrong.push(format!("{file}: import `{to}` from the module that has it")),
                Some((there, above)) if there > place => wrong
                    .push(format!("{file}: `{from}` ({floor}) must not import `{to}` ({above})")),
                Some(_) => {}
            }
        }
    }
    assert!(wrong.is_empty(), "see HOUSE in tests/layers.rs:\n{}", wrong.join("\n"));
}

/// The file that an import refers to: the deepest module on its path.
fn target<'a>(import: &[String], sources: &'a [Source]) -> Option<&'a Source> {
    let on_path = sources.iter().filter(|source| import.starts_with(&source.module));
    on_path.max_by_key(|source| source.module.len())
}

#[test]
fn no_file_imports_itself_by_way_of_others() {
    let sources = sources();
    let mut left: BTreeMap<&str, BTreeSet<&str>> = sources
        .iter()
        .map(|source| {
            let targets = source.imports.iter().filter_map(|import| target(import, &sources));
            let from = source.file.as_str();
            let together = |to: &str| RECURSIVE.contains(&from) && RECURSIVE.contains(&to);
            let others = targets.map(|it| it.file.as_str());
            (from, others.filter(|to| *to != from && !together(to)).collect())
        })
        .collect();
    // A file without imports is not in a cycle. Neither is a file that imports only such files.
    while let Some(leaf) = left.iter().find(|(_, to)| to.is_empty()).map(|(leaf, _)| *leaf) {
        left.remove(leaf);
        left.values_mut().for_each(|to| to.retain(|it| *it != leaf));
    }
    // Neither is a file that no other file imports.
    while let Some(top) = left.keys().find(|it| !left.values().any(|to| to.contains(*it))).copied()
    {
        left.remove(top);
    }
    assert!(left.is_empty(), "these, or some of them, import each other in a circle: {left:#?}");
}

#[test]
fn nobody_but_the_registry_knows_which_families_there_are() {
    let mut wrong = Vec::new();
    for Source { file, module, imports } in sources() {
        let of_families =
            imports.iter().filter(|path| path[..].first().is_some_and(|it| it == "families"));
        for import in of_families {
            let name = import.get(1).map_or("*", String::as_str);
            let fine = match module[0].as_str() {
                // The modules of a family import each other.
                "families" => {
                    module.len() == 1 || module[1] == name || SHARED_BY_FAMILIES.contains(&name)
                }
                "lib" => true,
                asks => ASK_FOR_FAMILIES.contains(&asks) && name == FAMILY,
            };
            if !fine {
                wrong.push(format!("{file} must not know families::{name}"));
            }
        }
    }
    assert!(wrong.is_empty(), "families answer for themselves:\n{}", wrong.join("\n"));
}

#[test]
fn every_module_of_the_house_is_there_and_lies_beside_its_folder() {
    let sources = sources();
    for module in places().keys() {
        let there = sources.iter().any(|source| source.file == format!("{module}.rs"));
        assert!(there, "there is no src/{module}.rs: remove it from HOUSE");
    }
    let old = sources.iter().find(|source| source.file.ends_with("mod.rs"));
    assert!(old.is_none(), "{}: write x.rs beside x/", old.map_or("", |it| &it.file));
}

#[test]
fn imports_are_seen_wherever_they_are() {
    let module = ["fault", "index"].map(str::to_owned);
    let seen = |code: &str| -> Vec<String> {
        imports(code, &module).iter().map(|path| path.join("::")).collect()
    };
    assert_eq!(seen("use crate::{a::{b, c::D}, e::*};"), ["a::b", "a::c::D", "e"]);
    assert_eq!(seen("use super::{A, b::{self, C}};"), ["fault::A", "fault::b", "fault::b::C"]);
    assert_eq!(seen("use super::super::a;"), ["a"]);
    assert_eq!(seen("pub use self::{a::B, c::*};"), ["fault::index::a::B", "fault::index::c"]);
    assert_eq!(seen("let it = crate::a::B::c(x::y); std::mem::take(z)"), ["a::B::c"]);
    assert_eq!(seen("mod a;\nmod b;\nlet it = a::c() + d::e();"), ["fault::index::a::c"]);
    let source = "/// [`crate::a`]\nb // crate::c\n#[cfg(test)]\nmod tests {\n    d\n}\ne\n";
    assert_eq!(code(source), "\nb \ne");
}
