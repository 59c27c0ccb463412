//! Images with more packages or modules than usual: `bookworm~fio~xfs.ko` is bookworm with the package fio
//! and the module xfs.

use std::collections::BTreeSet;

use super::distribution::{self, Spec};

/// Separates the parts of a variant's name. Names of images and packages do not contain it, and QEMU's
/// options may.
const SEPARATOR: char = '~';
/// Ends the name of a module.
const MODULE: &str = ".ko";

/// What is added to a known image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct More {
    /// Packages of the distribution, sorted.
    pub(crate) packages: Vec<String>,
    /// Kernel modules, sorted.
    pub(crate) modules: Vec<String>,
}

impl More {
    pub(crate) fn is_nothing(&self) -> bool {
        *self == More::default()
    }
}

/// The name of an image with these packages and modules added. What is added already is not added twice.
pub fn variant(image: &str, packages: &[String], modules: &[String]) -> String {
    let (plain, more) = split(image);
    let packages: BTreeSet<String> = more.packages.into_iter().chain(packages.to_vec()).collect();
    let modules = modules.iter().map(|module| module.replace('-', "_"));
    let modules: BTreeSet<String> = more.modules.into_iter().chain(modules).collect();
    let modules = modules.into_iter().map(|module| module + MODULE);
    let parts = [plain.to_owned()].into_iter().chain(packages).chain(modules);
    parts.collect::<Vec<_>>().join(&SEPARATOR.to_string())
}

/// The image that a name is or is a variant of.
pub fn plain_image(name: &str) -> &str {
    split(name).0
}

/// The image that a name is a variant of, and what is added to it.
pub(crate) fn split(name: &str) -> (&str, More) {
    let (plain, rest) = name.split_once(SEPARATOR).unwrap_or((name, ""));
    let mut more = More::default();
    for part in rest.split(SEPARATOR).filter(|part| !part.is_empty()) {
        match part.strip_suffix(MODULE) {
            Some(module) => more.modules.push(module.to_owned()),
            None => more.packages.push(part.to_owned()),
        }
    }
    (plain, more)
}

/// The known image that a name is or is a variant of, and what is added to it; `None` for other names, and
/// for those that [`variant`] does not give.
pub(crate) fn known(name: &str) -> Option<(&'static Spec, More)> {
    let (plain, more) = split(name);
    let plain_words = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-._".contains(c);
    let fit = |word: &String| {
        word.chars().all(plain_words) && word.starts_with(|c: char| c.is_ascii_alphanumeric())
    };
    let is_ours = variant(plain, &more.packages, &more.modules) == name && name.len() <= 200;
    let all_fit = more.packages.iter().chain(&more.modules).all(fit);
    distribution::find(plain).filter(|_| is_ours && all_fit).map(|spec| (spec, more))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn a_variant_is_named_by_what_it_is_made_of() {
        assert_eq!(variant("bookworm", &[], &[]), "bookworm");
        let name = variant("bookworm", &words(&["xfsprogs", "fio"]), &words(&["nls-utf8", "xfs"]));
        assert_eq!(name, "bookworm~fio~xfsprogs~nls_utf8.ko~xfs.ko");
        assert_eq!(
            variant(&name, &words(&["fio", "g++"]), &words(&["xfs"])).matches("fio").count(),
            1
        );
        let (spec, more) = known(&name).unwrap();
        assert_eq!(spec.name, "bookworm");
        assert_eq!(more.packages, ["fio", "xfsprogs"]);
        assert_eq!(more.modules, ["nls_utf8", "xfs"]);
        assert!(known("bookworm").unwrap().1.is_nothing());
    }

    #[test]
    fn other_names_are_not_known() {
        for name in
            ["mine", "mine~fio", "bookworm~", "bookworm~b~a", "bookworm~../x", "bookworm~-o"]
        {
            assert!(known(name).is_none(), "{name}");
        }
    }
}
