use std::io;

use object::write::{Object, StandardSegment};

use super::{super::decompress::tests::compressed, *};

/// An ELF file with this `.modinfo`.
fn module(modinfo: &str) -> Vec<u8> {
    let mut elf = Object::new(
        object::BinaryFormat::Elf,
        object::Architecture::X86_64,
        object::Endianness::Little,
    );
    let segment = elf.segment_name(StandardSegment::Data).to_vec();
    let section = elf.add_section(segment, b".modinfo".to_vec(), object::SectionKind::Data);
    elf.append_section_data(section, modinfo.replace('|', "\0").as_bytes(), 1);
    elf.write().unwrap()
}

struct Fake(Vec<(&'static str, Vec<u8>)>);

impl Fake {
    fn new(files: &[(&'static str, &str)]) -> Fake {
        Fake(files.iter().map(|(name, info)| (*name, module(info))).collect())
    }
}

impl ModuleSource for Fake {
    fn files(&self) -> io::Result<Vec<String>> {
        Ok(self.0.iter().map(|(name, _)| (*name).to_owned()).collect())
    }

    fn read(&self, file: &str) -> io::Result<Vec<u8>> {
        let found = self.0.iter().find(|(name, _)| *name == file);
        found.map(|(_, bytes)| bytes.clone()).ok_or(io::ErrorKind::NotFound.into())
    }
}

fn names(modules: &[Module]) -> Vec<&str> {
    modules.iter().map(|m| m.name.as_str()).collect()
}

#[test]
fn dependencies_come_first_and_each_once() {
    let source = Fake::new(&[
        ("kernel/a.ko", "depends=b,c|"),
        ("kernel/b.ko", "depends=d-d|"),
        ("kernel/c.ko", "depends=d-d|softdep=pre: e missing|"),
        ("kernel/d-d.ko", "depends=|"),
        ("kernel/e.ko", "depends="),
        ("kernel/f.ko", "depends="),
    ]);
    let found = collect(&source, &["a", "not-there"]).unwrap();
    assert_eq!(names(&found), ["d_d", "b", "e", "c", "a"]);
    let files = index_files(&found);
    assert_eq!(
        files[0].1.lines().last(),
        Some("kernel/a.ko: kernel/c.ko kernel/b.ko kernel/d-d.ko")
    );
    assert_eq!(files[2].1, "softdep c pre: e missing\n");
}

#[test]
fn modules_are_unpacked_whatever_their_compression() {
    let plain = module("depends=|alias=dm-multipath|");
    for (_, packed) in compressed(&plain) {
        let source = Fake(vec![("kernel/dm-mpath.ko.xz", packed)]);
        let found = collect(&source, &["dm_mpath"]).unwrap();
        assert_eq!((found[0].path.as_str(), &found[0].elf), ("kernel/dm-mpath.ko", &plain));
        assert_eq!(index_files(&found)[1].1, "alias dm-multipath dm_mpath\n");
    }
}

#[test]
fn a_cycle_ends() {
    let source = Fake::new(&[("a.ko", "depends=b"), ("b.ko", "depends=a")]);
    assert_eq!(names(&collect(&source, &["a"]).unwrap()), ["b", "a"]);
}

#[test]
fn a_chain_that_no_kernel_has_is_refused() {
    let chain = |len: usize| {
        let link = |n| (format!("m{n}.ko"), module(&format!("depends=m{}", n + 1)));
        let last = (format!("m{len}.ko"), module("depends="));
        (0..len).map(link).chain([last]).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(collect(&chain(DEEPEST - 1), &["m0"]).unwrap().len(), DEEPEST);
    // Each link of the chain would take the stack of a call.
    let why = collect(&chain(30_000), &["m0"]).unwrap_err();
    assert!(why.contains("a chain of more than"), "{why}");
}

#[test]
fn what_cannot_be_used_is_named() {
    let missing = Fake::new(&[("a.ko", "depends=b")]);
    assert_eq!(collect(&missing, &["a"]).unwrap_err(), "a needs b, which is not there");
    let garbage = Fake(vec![("a.ko", b"not an ELF file".to_vec())]);
    assert!(collect(&garbage, &["a"]).unwrap_err().starts_with("a.ko: it is no ELF file"));
    assert_eq!(collect(&Fake(vec![]), &["a"]).unwrap_err(), "there are none");
}

#[test]
fn a_directory_of_modules_is_found_at_every_level() {
    let dir = tempfile::tempdir().unwrap();
    let modules = dir.path().join("lib/modules/6.1-own");
    std::fs::create_dir_all(modules.join("kernel/drivers")).unwrap();
    std::fs::write(modules.join("kernel/drivers/a.ko"), module("depends=")).unwrap();
    for given in [dir.path().to_owned(), dir.path().join("lib/modules"), modules.clone()] {
        let found = ModuleDir::find(&given).unwrap();
        assert_eq!(found.release().as_deref(), Ok("6.1-own"));
        assert_eq!(found.files().unwrap(), ["kernel/drivers/a.ko"]);
    }
    assert!(ModuleDir::find(&modules.join("kernel/drivers")).is_err());
    std::fs::create_dir_all(dir.path().join("lib/modules/6.2/kernel")).unwrap();
    assert!(ModuleDir::find(dir.path()).unwrap_err().contains("several kernels"));
}
