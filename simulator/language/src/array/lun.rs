//! A LUN, in `[array]` or in a `map` step.

use std::ops::Range;

use sansim_array::{ControllerId, Lun, LunConfig, Mapping, NexusPattern, PortId, Shown};

use crate::{
    Diagnostic,
    check::Checker,
    form::{Name, name, table},
    names::Wwid,
    nexuses::To,
    value::{At, Size},
};

table! {
    /// A logical unit of the array.
    pub(crate) struct LunTable, "a table such as { size = \"256MiB\", owner = \"A\" }" {
        /// The size of the LUN.
        pub(crate) size: Name<Size>,
        /// The controller that owns the LUN at the start.
        pub(crate) owner: Name<ControllerId>,
        /// The preferred owner. Default: the owner.
        pub(crate) preferred: Option<Name<ControllerId>>,
        /// The controller of another array that presents the LUN as well: the two arrays present it as
        /// one (metro cluster). It owns the LUN while its array serves it alone. Default: none.
        pub(crate) partner: Option<Name<ControllerId>>,
        /// The LUN number. Default: the position in the list, from 0; the lists of several arrays count
        /// on.
        pub(crate) lun: Option<At<u64>>,
        /// The logical block size, "512B" or "4KiB". Default: "512B".
        pub(crate) block_size: Option<Name<Size>>,
        /// Whether the LUN refuses writes. Default: false.
        pub(crate) read_only: Option<bool>,
        /// The label of the LUN in the array. Default: `lun` and the LUN number.
        pub(crate) label: Option<At<String>>,
        /// The world-wide name of the LUN. Two LUNs can have one, as faulty arrays do it. Default: one of
        /// its own, which the array makes.
        pub(crate) wwid: Option<Name<Wwid>>,
        /// The paths that see the LUN, and under which number; it is masked for all others. Default:
        /// every path, under its own number.
        pub(crate) mapping: Option<At<Vec<At<MappingTable>>>>,
    }
}

table! {
    /// Some paths, and the number under which they see a LUN.
    pub(crate) struct MappingTable, "a table such as { controller = \"A\" }" {
        /// The HBA that sees the LUN. Default: all.
        hba: Option<At<u64>>,
        /// The controller through which the LUN is seen. Default: all.
        controller: Option<Name<ControllerId>>,
        /// The port through which the LUN is seen. Default: all.
        port: Option<Name<PortId>>,
        /// The number under which it is seen. Default: its own.
        number: Option<At<u64>>,
    }
}

impl At<MappingTable> {
    /// Reports paths that are not there, once the HBAs are known.
    pub(crate) fn check_paths(&self, checker: &mut Checker<'_>) {
        let (hba, controller) = (self.hba.as_ref(), self.controller.as_ref());
        checker.seen(hba, controller, self.port.as_ref(), &self.span);
    }

    /// The paths, and how they see the LUN.
    pub(crate) fn check(&self, checker: &mut Checker<'_>) -> (NexusPattern, Shown) {
        let (hba, controller) = (self.hba.as_ref(), self.controller.as_ref());
        let to = checker.nexuses(hba, controller, self.port.as_ref(), &self.span);
        (to, checker.shown(self.number.as_ref()))
    }
}

impl MappingTable {
    /// The entries that would be read as this mapping; `None` for that of a LUN that everybody sees.
    fn of(mapping: &Mapping) -> Option<At<Vec<At<MappingTable>>>> {
        if mapping.entries().is_empty() {
            return None;
        }
        let tables = mapping.entries().iter().filter_map(|(to, shown)| {
            let To { hba, controller, port } = To::of(*to);
            let number = match shown {
                Shown::Masked => return None,
                Shown::Own => None,
                Shown::As(number) => Some((*number).into()),
            };
            Some(At::nowhere(MappingTable { hba, controller, port, number }))
        });
        Some(At::nowhere(tables.collect()))
    }
}

impl LunTable {
    /// Validates the table and converts it. `place` is the LUN number if the table has none, `span`
    /// the position of the table in the file.
    pub(crate) fn check(
        &self,
        span: &Range<usize>,
        place: u64,
        checker: &mut Checker<'_>,
    ) -> LunConfig {
        let lun = self.number(span, place, checker);
        let owner = checker.controller(&self.owner);
        let preferred = self.preferred.as_ref().map_or(owner, |name| checker.controller(name));
        let partner = self.partner.as_ref().map(|name| self.partner(name, owner, checker));
        let block_bytes = match self.block_size.as_ref().map(|size| (size.0.0, &size.span)) {
            None | Some((512, _)) => 512,
            Some((4096, _)) => 4096,
            Some((_, span)) => {
                checker.refuse(
                    span,
                    "no array has blocks of this size",
                    "write \"512B\" or \"4KiB\"",
                );
                512
            }
        };
        let bytes = self.size.0.0;
        if bytes == 0 || bytes > LunConfig::MAX_BYTES || !bytes.is_multiple_of(block_bytes) {
            let help = format!("write a whole number of {block_bytes}-byte blocks, at most 64TiB");
            checker.refuse(&self.size.span, "no LUN can have this size", help);
        }
        let label = self.label.as_ref().map_or(format!("lun{lun}"), |label| {
            if label.is_empty() || label.encode_utf16().count() > 30 {
                checker.report(&label.span, Diagnostic::error("a label is 1 to 30 characters"));
            }
            label.value.clone()
        });
        LunConfig {
            lun: Lun(lun as u16),
            bytes,
            block_bytes: block_bytes as u32,
            owner,
            preferred,
            partner,
            label,
            read_only: self.read_only.unwrap_or(false),
            name: self.wwid.as_ref().map(|wwid| wwid.0.0),
            mapping: self
                .mapping
                .as_ref()
                .map_or_else(Mapping::default, |entries| {
                    Mapping::only(entries.iter().map(|entry| entry.check(checker)).collect())
                })
                .within(checker.shape.presenters(owner, partner)),
        }
    }

    /// The controller of the other array; reports one of the owner's.
    fn partner(
        &self,
        name: &Name<ControllerId>,
        owner: ControllerId,
        checker: &mut Checker<'_>,
    ) -> ControllerId {
        let partner = checker.controller(name);
        let own = checker.shape.array_of(owner).map(|array| array.controllers.clone());
        if own.is_some_and(|own| own.contains(&partner.index())) {
            let problem = format!("controller {partner} is of the same array as {owner}");
            checker.refuse(&name.span, problem, "a partner is a controller of another [[array]]");
        }
        partner
    }

    /// The LUN number: the given one, or else `place`.
    fn number(&self, span: &Range<usize>, place: u64, checker: &mut Checker<'_>) -> u64 {
        let max = checker.shape.max_lun;
        let (number, span) = self.lun.as_ref().map_or((place, span), |lun| (lun.value, &lun.span));
        if number > u64::from(max) {
            let problem = format!("LUN {number} is out of range: the highest is {max}");
            checker.refuse(span, problem, "what is the highest depends on the personality; an rdac array tells it by rdac.max_luns");
            return 0;
        }
        number
    }

    /// The table that would be read as this LUN.
    pub(crate) fn of(config: &LunConfig) -> Self {
        LunTable {
            size: name(Size(config.bytes)),
            owner: name(config.owner),
            preferred: Some(name(config.preferred)),
            partner: config.partner.map(name),
            lun: Some(config.lun.into()),
            block_size: Some(name(Size(config.block_bytes.into()))),
            read_only: Some(config.read_only),
            label: Some(At::nowhere(config.label.clone())),
            wwid: config.name.map(|wwid| name(Wwid(wwid))),
            mapping: MappingTable::of(&config.mapping),
        }
    }
}
