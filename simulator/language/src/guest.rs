//! `[guest]`: the machine under test.

mod manager;
mod multipath;

use std::{collections::BTreeMap, ops::RangeInclusive};

use manager::{ManagerName, MultipathdTable, UdevName};
use multipath::MultipathTable;
use sansim_stage::{Array, GuestSetup, Manager, TextMatch};

use crate::{
    check::Checker,
    form::{Listed, Name, Named, Section, name, table},
    value::{At, Size},
};

const MIB: u64 = 1 << 20;
const MEMORY: RangeInclusive<u64> = 128 * MIB..=64 * 1024 * MIB;

table! {
    /// The machine under test.
    pub(crate) struct GuestTable, "a table" {
        /// The name of the guest image. Default: "bookworm".
        image: Option<At<String>>,
        /// Packages of the image's distribution to add to its userland, with what they depend on,
        /// such as "fio". The image with them is built once.
        packages: Listed<At<String>>,
        /// What builds the multipath maps. Default: "dmsetup".
        manager: Option<At<ManagerName>>,
        /// The rules of a udevd that runs without multipathd. Only with `manager = "dmsetup"`.
        /// Default: no udevd runs.
        udev: Option<At<UdevName>>,
        /// The memory of the guest. Default: "256MiB".
        memory: Option<Name<Size>>,
        /// The number of processors. Default: 1.
        cpus: Option<At<u64>>,
        /// Kernel modules to load in addition to those that every run needs.
        modules: Listed<At<String>>,
        /// The device handler of the maps, without the prefix `scsi_dh_`, or "none". Default: the
        /// personality's. With several arrays it is for those of the first one's family; each other
        /// family has its own.
        handler: Option<At<String>>,
        /// Whether the handler's module is loaded before the guest scans for disks. If false, the
        /// kernel loads the module when the map is built. Default: true.
        load_handler: Option<bool>,
        /// Module parameters to set after the modules are loaded, such as
        /// "scsi_dh_rdac.rdac_logging" = "15".
        parameters: Named<At<String>>,
        /// How the multipath maps are built.
        multipath: Section<MultipathTable>,
        /// The configuration of multipathd. Only with `manager = "multipathd"`.
        multipathd: Option<At<MultipathdTable>>,
        /// Regular expressions for kernel log lines that are allowed. Any other kernel WARNING,
        /// BUG, hung task or panic fails the run.
        allow: Listed<At<String>>,
    }
}

impl GuestTable {
    /// Validates the table and converts it; mistakes are reported to `checker`. `scenario` is the
    /// path of the scenario file.
    pub(crate) fn check(
        &self,
        scenario: &str,
        arrays: &[Array],
        checker: &mut Checker<'_>,
    ) -> GuestSetup {
        let image = word(self.image.as_ref(), "bookworm", "an image", checker);
        let manager = manager::check(
            scenario,
            self.manager.as_ref(),
            self.multipathd.as_ref(),
            self.multipath.says_anything(),
            checker,
        );
        if let Some(udev) = self.udev.as_ref().filter(|_| manager != Manager::Dmsetup) {
            let help = "write it into [guest.multipathd]";
            checker.refuse(&udev.span, "multipathd's guest has a udevd already", help);
        }
        let packages = self.packages.0.iter().map(|it| package(it, checker)).collect();
        let own = arrays.first().map_or("none", |array| array.personality.handler());
        let handler = word(self.handler.as_ref(), own, "a handler", checker);
        let handler = (handler != "none").then_some(handler);
        let modules = self.modules.0.iter();
        let modules = modules.map(|module| word(Some(module), "", "a module", checker)).collect();
        GuestSetup {
            image,
            packages,
            manager,
            udev: self.udev.as_ref().map(|udev| udev.value.into()),
            memory: self.checked_memory(checker),
            cpus: checker.number(self.cpus.as_ref(), 1..=32, 1, "the number of processors") as u8,
            modules,
            load_handler: self.load_handler.unwrap_or(true),
            parameters: parameters(&self.parameters.0, checker),
            multipath: self.multipath.check(handler.as_deref(), checker),
            handler,
            allow: self.allow.0.iter().filter_map(|pattern| checker.regex(pattern)).collect(),
        }
    }

    fn checked_memory(&self, checker: &mut Checker<'_>) -> u64 {
        let Some(memory) = &self.memory else { return 256 * MIB };
        let bytes = memory.0.0;
        if !MEMORY.contains(&bytes) || !bytes.is_multiple_of(MIB) {
            let help = "write 128MiB to 64GiB, in whole MiB";
            checker.refuse(&memory.span, "no guest can have this much memory", help);
        }
        bytes
    }

    /// The table that would be read as this guest.
    pub(crate) fn of(guest: &GuestSetup) -> Self {
        let parameters = guest.parameters.iter();
        let parameters = parameters.map(|(name, it)| (name.clone(), At::nowhere(it.clone())));
        GuestTable {
            image: Some(At::nowhere(guest.image.clone())),
            packages: Listed(guest.packages.iter().cloned().map(At::nowhere).collect()),
            manager: Some(At::nowhere(ManagerName::of(&guest.manager))),
            udev: guest.udev.map(|udev| At::nowhere(udev.into())),
            memory: Some(name(Size(guest.memory))),
            cpus: Some(At::nowhere(guest.cpus.into())),
            modules: Listed(guest.modules.iter().cloned().map(At::nowhere).collect()),
            handler: Some(At::nowhere(guest.handler.clone().unwrap_or_else(|| "none".to_owned()))),
            load_handler: Some(guest.load_handler),
            parameters: Named(parameters.collect()),
            multipath: Section::nowhere(match guest.manager {
                Manager::Dmsetup => MultipathTable::of(&guest.multipath),
                // multipathd builds the tables itself, so there are no settings for them.
                Manager::Multipathd(_) => MultipathTable::default(),
            }),
            multipathd: MultipathdTable::of(&guest.manager).map(At::nowhere),
            allow: Listed(guest.allow.iter().map(pattern).map(At::nowhere).collect()),
        }
    }
}

/// A regular expression that matches where `text` matches.
fn pattern(text: &TextMatch) -> String {
    match text {
        TextMatch::Contains(text) => regex::escape(text),
        TextMatch::Matches(regex) => regex.as_str().to_owned(),
    }
}

/// Checks the name of a package (Debian Policy 5.6.1).
fn package(given: &At<String>, checker: &mut Checker<'_>) -> String {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c);
    let begins = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if given.len() < 2 || given.len() > 64 || !given.starts_with(begins) || !given.chars().all(fits)
    {
        let problem = format!("{:?} cannot be the name of a package", given.value);
        checker.refuse(&given.span, problem, "write for instance \"fio\"");
    }
    given.value.clone()
}

/// Checks a name that becomes part of a path or a command in the guest.
fn word(
    given: Option<&At<String>>,
    default: &str,
    what: &str,
    checker: &mut Checker<'_>,
) -> String {
    let Some(given) = given else { return default.to_owned() };
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if given.is_empty()
        || given.len() > 64
        || given.starts_with(['.', '-'])
        || !given.chars().all(fits)
    {
        let problem = format!("{:?} cannot be the name of {what}", given.value);
        checker.refuse(&given.span, problem, "write letters, digits, `_`, `-` and `.`");
    }
    given.value.clone()
}

fn parameters(
    given: &BTreeMap<String, At<String>>,
    checker: &mut Checker<'_>,
) -> BTreeMap<String, String> {
    for (name, value) in given {
        let part = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        if !name.split_once('.').is_some_and(|(module, name)| part(module) && part(name)) {
            let problem = format!("{name:?} is not of the form module.parameter");
            let help = "write for instance \"scsi_dh_rdac.rdac_logging\" = \"15\", in quotes";
            checker.refuse(&value.span, problem, help);
        }
    }
    given.iter().map(|(name, value)| (name.clone(), value.value.clone())).collect()
}
