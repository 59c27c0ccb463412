//! `[array]`: the array that the guest sees; `[[array]]`: several arrays.

mod alua;
mod captured;
mod emc;
mod family;
mod hp_sw;
mod hw_handler;
mod lun;
mod memory;
mod metro;
mod ownership;
mod rdac;

use std::{num::NonZeroU32, ops::Range};

use captured::{Captured, Meant};
use family::{FamilyName, FamilyTables};
pub(crate) use lun::LunTable;
use memory::WhenFullName;
pub(crate) use metro::MetroTable;
use ownership::Ownership;
use sansim_array::{
    Addressing, Canary, ConfigError, ControllerConfig, ControllerId, DesignatorKind, Identity,
    LunConfig, Lunz, PersonalityConfig, PortId, PortNumbers, Ports, Target,
};
use sansim_stage::Array;

use crate::{
    Diagnostic,
    check::{ArrayShape, Checker},
    form::{
        Entries, Form, Given, Listed, Many, Name, Named, Plain, PlainTable, Problems, Slot, Table,
        TableForm, Value, name, table, words,
    },
    names::Oui,
    value::{At, Size},
};

table! {
    /// The array that the guest sees, or one of several. The letters of the controllers go on from array
    /// to array: if the first has A and B, the second has C and D.
    struct Head, "a table" {
        /// The model of the array: a name from `sansim model list`, or your own file whose name
        /// ends in `.toml`, in the scenario's directory. Every other key of this table overrides
        /// the model's.
        model: Option<At<String>>,
        /// The family of the array: how it identifies itself and by which command a host moves a
        /// LUN. Required unless there is a model.
        personality: Option<FamilyName>,
        /// The T10 vendor identification in the INQUIRY data, 1 to 8 characters. Default: the
        /// personality's.
        vendor: Option<At<String>>,
        /// The product identification in the INQUIRY data, 1 to 16 characters. Default: the
        /// personality's.
        product: Option<At<String>>,
        /// The product revision level in the INQUIRY data, at most 4 characters. Default: the
        /// personality's.
        revision: Option<At<String>>,
        /// The serial number of the array, 1 to 16 characters. Default: the personality's. An array whose
        /// serial number an earlier one has gets its own number behind it.
        serial: Option<At<String>>,
        /// The name of the array (its label), at most 30 characters. Default: the personality's; of
        /// several arrays, which steps know by it, the number, from "1". An array whose name an earlier one
        /// has gets its number behind it: `3PAR-2`.
        name: Option<At<String>>,
        /// The LUNs that the array owns, at least one for all arrays together.
        luns: Option<At<Vec<At<LunTable>>>>,
        /// The number of controllers: 1 or 2, with personality `alua` at most 8. Default: 2.
        controllers: Option<At<u64>>,
        /// The number of ports of each controller, 1 to 10. Default: 2.
        ports_per_controller: Option<At<u64>>,
        /// Ports that are absent at the start. A `plug` step can add them. Default: none.
        unplugged: Option<At<Vec<Name<PortId>>>>,
        /// The company identifier (OUI) in the names of the LUNs. Default: the personality's.
        oui: Option<Name<Oui>>,
        /// What VPD page 83h has beside the name of the LUN (NAA type 6) and the numbers of the port.
        /// Default: nothing.
        designators: Option<Vec<DesignatorName>>,
        /// The relative target port identifiers of ports, 1 to 65535, by the names of the ports. Default:
        /// their places among all ports of all arrays, from 1.
        relative_ports: Named<At<u64>>,
        /// How the array encodes LUN numbers. Default: "peripheral".
        lun_addressing: Option<AddressingName>,
        /// What answers at LUN 0 to a path that sees no LUN there. Default: "no-device".
        lunz: Option<LunzName>,
        /// Pages of INQUIRY data captured from a real array. The first entry that matches applies.
        captured: Listed<At<Captured>>,
        /// When the array changes the ownership of LUNs without a request from a host. Default:
        /// never.
        ownership: Option<At<Ownership>>,
        /// The memory for all that is written to the LUNs, in extents of 64KiB. Default: half of what the host
        /// has left, for all runs together; a run that needs more ends with the verdict error. The first array's is
        /// for all arrays.
        memory: Option<Name<Size>>,
        /// What happens to a write for which `memory` has no room. Default: "space".
        when_full: Option<At<WhenFullName>>,
        /// A bug that is planted in the array on purpose, to see whether it is found. `sansim check`
        /// warns of it. Default: none.
        canary: Option<At<CanaryName>>,
        /// When this part of `memory` is used, in percent, every path gets a unit attention, 06/38/07 (THIN
        /// PROVISIONING SOFT THRESHOLD REACHED). Default: never.
        space_threshold: Option<At<u64>>,
        /// How many commands each port keeps at a time: those that rules keep back. One more is answered TASK
        /// SET FULL. Default: as many as the HBAs send.
        queue_limit: Option<At<u64>>,
    }
}

words! {
    /// A designator in VPD page 83h.
    enum DesignatorName for DesignatorKind {
        /// T10 vendor identification, with the name in hexadecimal.
        T10 = "t10",
        /// EUI-64.
        Eui64 = "eui-64",
        /// SCSI name string: `naa.` and the name.
        ScsiName = "scsi-name",
        /// The name of the target port (WWPN).
        PortName = "port-name",
    }
}

words! {
    /// A bug that is planted in the array on purpose.
    enum CanaryName for Canary {
        /// The first write through a nexus to which a unit attention was just reported is answered
        /// with GOOD, but not carried out.
        LostWrite = "lost-write",
        /// The first read of a LUN after it has moved returns what was there before the last write.
        StaleRead = "stale-read",
    }
}

words! {
    /// How LUN numbers are encoded (SAM-5 4.7.7).
    enum AddressingName for Addressing {
        /// Peripheral device addressing up to 255, flat space addressing above.
        Peripheral = "peripheral",
        /// Flat space addressing for every LUN: Linux adds 16384 to the number.
        Flat = "flat",
    }
}

words! {
    /// What answers at LUN 0 to a path that sees no LUN there.
    enum LunzName for Lunz {
        /// No device (peripheral qualifier 011b), as at any other LUN that is not mapped.
        NoDevice = "no-device",
        /// A disk `LUNZ` that is not connected (peripheral qualifier 001b). The guest makes no disk of it.
        NotConnected = "not-connected",
        /// A disk `LUNZ` (peripheral qualifier 000b) that refuses every access with 05/25/00, as a
        /// CLARiiON has it.
        Disk = "disk",
    }
}

/// `[array]` as written in the file.
#[derive(Debug, Clone)]
pub(crate) struct ArrayTable {
    head: Head,
    families: FamilyTables,
}

impl Value for ArrayTable {
    fn read(given: &Given<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let mut entries = Entries::open(given, Head::EXPECTED, problems)?;
        let head = Head::take(&mut entries, problems);
        if head.as_ref().is_some_and(|head| head.personality.is_none()) {
            problems.missing(&given.span(), "personality");
        }
        let family = head.as_ref().and_then(|head| head.personality.as_ref());
        let families = FamilyTables::take(family, &mut entries, problems);
        entries.close(problems);
        Some(ArrayTable { head: head?, families: families? })
    }

    fn write(&self) -> Plain {
        let mut table = PlainTable::default();
        self.head.put(&mut table);
        self.families.put(&mut table);
        Plain::Table(table)
    }

    fn form() -> Form {
        let mut keys = Head::keys();
        keys.extend(FamilyTables::keys());
        Form::Table(TableForm { name: "Array", about: Head::ABOUT, keys })
    }
}

/// What an array is, before its LUNs and whatever else refers to controllers are known.
struct Frame {
    personality: PersonalityConfig,
    identity: Identity,
    shape: ArrayShape,
}

/// The arrays of a scenario: a table, or a list of tables.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arrays(pub(crate) Many<ArrayTable>);

impl Slot for Arrays {
    const REQUIRED: bool = false;

    fn fill(given: Option<&Given<'_>>, problems: &mut Problems<'_>) -> Option<Option<Self>> {
        Some(Many::fill(given, problems)?.map(Arrays))
    }

    /// A single array is a table.
    fn content(&self) -> Option<Plain> {
        match &self.0.0[..] {
            [one] => Some(one.write()),
            _ => self.0.content(),
        }
    }

    fn accepts() -> Form {
        Many::<ArrayTable>::accepts()
    }
}

impl Arrays {
    /// Validates the tables and converts them; mistakes are reported to `checker`. `scenario` is the
    /// path of the scenario file.
    pub(crate) fn check(&self, scenario: &str, checker: &mut Checker<'_>) -> Option<Vec<Array>> {
        let several = self.0.len() > 1;
        let frames = self.0.iter().map(|table| table.frame(several, checker));
        let frames: Vec<Frame> = frames.collect::<Option<_>>()?;
        let mut arrays: Vec<Array> = Vec::new();
        for (table, frame) in self.0.iter().zip(frames) {
            arrays.push(table.check(frame, &arrays, scenario, checker)?);
        }
        let luns: usize = arrays.iter().map(|array| array.luns.len()).sum();
        if luns == 0 || luns > LunConfig::MAX_COUNT {
            let help = "write for instance luns = [{ size = \"256MiB\", owner = \"A\" }]";
            let problem = format!("an array has 1 to {} LUNs", LunConfig::MAX_COUNT);
            let span = self.0.first().map_or(0..0, ArrayTable::place_of_luns);
            checker.refuse(&span, problem, help);
        }
        Some(arrays)
    }

    /// Checks what is said about HBAs, once they are known: which of them sees which LUN, and which gets
    /// which page.
    pub(crate) fn check_paths(&self, checker: &mut Checker<'_>) {
        for table in self.0.iter() {
            table.check_paths(checker);
        }
        check_numbers(self.0.iter().flat_map(ArrayTable::luns), checker);
    }

    /// The tables that would be read as these arrays.
    pub(crate) fn of(arrays: &[Array]) -> Self {
        Arrays(Many(arrays.iter().filter_map(ArrayTable::of).collect()))
    }
}

impl ArrayTable {
    fn luns(&self) -> impl Iterator<Item = &At<LunTable>> {
        self.head.luns.iter().flat_map(|luns| luns.iter())
    }

    /// The position of the LUNs in the file.
    fn place_of_luns(&self) -> Range<usize> {
        self.head.luns.as_ref().map_or(0..0, |luns| luns.span.clone())
    }

    /// Validates what the array is, and tells the checker of its controllers.
    fn frame(&self, several: bool, checker: &mut Checker<'_>) -> Option<Frame> {
        let head = &self.head;
        let personality = self.families.check(checker)?;
        let mut identity = personality.identity();
        let number = checker.shape.arrays.len() + 1;
        if several {
            identity.name = number.to_string();
        }
        check_identity(head, &mut identity, checker);
        let others = || checker.shape.arrays.iter();
        if others().any(|other| other.serial == identity.serial) {
            number_it(&mut identity.serial, 16, number);
        }
        if others().any(|other| other.name == identity.name) {
            number_it(&mut identity.name, 30, number);
        }
        identity.oui = head.oui.as_ref().map(|oui| oui.0.0);
        let designators = head.designators.iter().flatten();
        identity.designators = designators.map(|kind| (*kind).into()).collect();
        let most = personality.most_controllers().into();
        let controllers =
            checker.number(head.controllers.as_ref(), 1..=most, 2, "the number of controllers");
        let ports =
            checker.number(head.ports_per_controller.as_ref(), 1..=10, 2, "the number of ports");
        let first = checker.shape.controllers();
        let all = first + controllers as usize;
        if all > ControllerId::MAX {
            let span = self.place_of_luns();
            let problem = format!("the arrays have {all} controllers");
            let help = format!("there are letters for {}: A to H", ControllerId::MAX);
            checker.refuse(&span, problem, help);
            return None;
        }
        let shape = ArrayShape {
            name: identity.name.clone(),
            serial: identity.serial.clone(),
            controllers: first..first + controllers as usize,
            ports: ports as u8,
        };
        checker.shape.arrays.push(shape.clone());
        Some(Frame { personality, identity, shape })
    }

    /// Validates the rest of the table and converts it. `before` are the arrays before it.
    fn check(
        &self,
        frame: Frame,
        before: &[Array],
        scenario: &str,
        checker: &mut Checker<'_>,
    ) -> Option<Array> {
        let head = &self.head;
        let Frame { personality, identity, shape } = frame;
        checker.shape.max_lun = personality.max_lun();
        let luns = check_luns(self.luns(), &shape, before, checker);
        let unplugged = head.unplugged.iter().flat_map(|ports| ports.iter());
        let unplugged = unplugged.map(|port| checker.port(port)).collect();
        let ownership = head.ownership.as_ref();
        let ownership = ownership.map(|table| table.check(&personality, checker));
        let mut relative_ports = relative_ports(&head.relative_ports, checker);
        run_on(&mut relative_ports, &shape, before);
        let numbers = self.numbers(&personality, &shape, &relative_ports, checker);
        let (mut captured, mut captured_groups) = (Vec::new(), Vec::new());
        for page in &head.captured.0 {
            let Some(meant) = page.check(scenario, &personality, checker) else { continue };
            page.agrees(&meant, &numbers, checker);
            match meant {
                Meant::Page(page) => captured.push(page),
                Meant::Groups(groups) => captured_groups.push(groups),
            }
        }
        let target = Target {
            addressing: head.lun_addressing.map_or(Addressing::default(), Into::into),
            lunz: head.lunz.map_or(Lunz::default(), Into::into),
            queue_limit: head.queue_limit.as_ref().and_then(|limit| {
                let limit = checker.number(Some(limit), 1..=65_536, 1, "a number of commands");
                NonZeroU32::new(limit as u32)
            }),
        };
        if let Some(memory) = head.memory.as_ref().filter(|_| !before.is_empty()) {
            let help = "write it into the first [[array]]: it is for the LUNs of all";
            checker.refuse(&memory.span, "`memory` is that of all arrays", help);
        }
        if let Some(canary) = &head.canary {
            checker.warn_of_canary(&canary.span, "array", canary.value.word());
        }
        let (when_full, threshold) = (head.when_full.as_ref(), head.space_threshold.as_ref());
        let memory = memory::check(head.memory.as_ref(), when_full, threshold, checker);
        Some(Array {
            personality,
            identity,
            ownership: ownership.unwrap_or_default(),
            captured,
            captured_groups,
            relative_ports,
            first_controller: shape.controllers.start as u8,
            controllers: shape.controllers.len() as u8,
            ports_per_controller: shape.ports,
            unplugged,
            target,
            luns,
            memory,
            canary: head.canary.as_ref().map(|canary| canary.value.into()),
        })
    }

    /// The numbers of the ports and of their groups; reports what makes them invalid.
    fn numbers(
        &self,
        personality: &PersonalityConfig,
        shape: &ArrayShape,
        relative_ports: &[(PortId, u16)],
        checker: &mut Checker<'_>,
    ) -> Vec<PortNumbers> {
        let before = shape.controllers.start;
        let controllers = vec![ControllerConfig { ports: shape.ports }; shape.controllers.len()];
        match PortNumbers::of(personality, before, &controllers, relative_ports) {
            Ok(numbers) => numbers,
            Err(ConfigError::Text { .. }) => Vec::new(), // Reported where the text is.
            Err(why) => {
                let span = self.head.relative_ports.0.values().next();
                let span = span.map_or_else(|| self.families.place(), |given| given.span.clone());
                checker.report(&span, Diagnostic::error(why.to_string()));
                Vec::new()
            }
        }
    }

    fn check_paths(&self, checker: &mut Checker<'_>) {
        for page in &self.head.captured.0 {
            page.check_paths(checker);
        }
        for entry in self.luns().flat_map(|lun| lun.mapping.iter().flat_map(|it| it.iter())) {
            entry.check_paths(checker);
        }
    }

    /// The table that would be read as this array.
    fn of(array: &Array) -> Option<Self> {
        let identity = &array.identity;
        let (personality, families) = FamilyTables::of(&array.personality)?;
        let unplugged = || At::nowhere(array.unplugged.iter().copied().map(name).collect());
        let text = |text: &String| Some(At::nowhere(text.clone()));
        let pages = array.captured.iter().map(Captured::of_page);
        let captured = pages.chain(array.captured_groups.iter().map(Captured::of_groups));
        let captured = captured.map(At::nowhere);
        let relative = array.relative_ports.iter();
        let relative =
            relative.map(|(port, number)| (port.to_string(), At::nowhere(u64::from(*number))));
        let designators = identity.designators.iter().map(|kind| (*kind).into());
        let luns = array.luns.iter().map(|config| At::nowhere(LunTable::of(config)));
        let head = Head {
            model: None,
            personality: Some(personality),
            vendor: text(&identity.vendor),
            product: text(&identity.product),
            revision: text(&identity.revision),
            serial: text(&identity.serial),
            name: text(&identity.name),
            luns: (!array.luns.is_empty()).then(|| At::nowhere(luns.collect())),
            controllers: Some(At::nowhere(array.controllers.into())),
            ports_per_controller: Some(At::nowhere(array.ports_per_controller.into())),
            unplugged: (!array.unplugged.is_empty()).then(unplugged),
            oui: identity.oui.map(|oui| name(Oui(oui))),
            designators: (!identity.designators.is_empty()).then(|| designators.collect()),
            relative_ports: Named(relative.collect()),
            lun_addressing: Some(array.target.addressing.into()),
            lunz: Some(array.target.lunz.into()),
            captured: Listed(captured.collect()),
            ownership: Ownership::of(&array.ownership).map(At::nowhere),
            memory: array.memory.map(|memory| name(Size(memory.bytes))),
            when_full: array.memory.map(|memory| At::nowhere(memory.when_full.into())),
            canary: array.canary.map(|canary| At::nowhere(canary.into())),
            space_threshold: array
                .memory
                .and_then(|memory| memory.threshold)
                .map(|percent| At::nowhere(percent.into())),
            queue_limit: array.target.queue_limit.map(|limit| At::nowhere(limit.get().into())),
        };
        Some(ArrayTable { head, families })
    }
}

fn check_identity(head: &Head, identity: &mut Identity, checker: &mut Checker<'_>) {
    let fields = [
        (&head.vendor, &mut identity.vendor, 1..=8, "a vendor"),
        (&head.product, &mut identity.product, 1..=16, "a product"),
        (&head.revision, &mut identity.revision, 0..=4, "a revision"),
        (&head.serial, &mut identity.serial, 1..=16, "a serial number"),
        (&head.name, &mut identity.name, 1..=30, "an array's name"),
    ];
    for (given, field, length, what) in fields {
        let Some(given) = given else { continue };
        if !length.contains(&given.len()) || !given.chars().all(|c| (' '..='~').contains(&c)) {
            let (low, high) = length.into_inner();
            let problem = format!("{what} is {low} to {high} printable ASCII characters");
            checker.report(&given.span, Diagnostic::error(problem));
        }
        field.clone_from(&given.value);
    }
}

fn relative_ports(given: &Named<At<u64>>, checker: &mut Checker<'_>) -> Vec<(PortId, u16)> {
    let mut numbers = Vec::new();
    for (port, number) in &given.0 {
        let what = "a relative target port identifier";
        let value = checker.number(Some(number), 1..=65_535, 1, what) as u16;
        match port.parse::<PortId>() {
            Ok(port) => {
                checker.known_port(port, &number.span);
                if checker.shape.has_ports(Ports::One(port)) {
                    numbers.push((port, value));
                }
            }
            Err(why) => checker.report(&number.span, Diagnostic::error(why.to_string())),
        }
    }
    numbers
}

/// Two arrays of one model differ: the later one has its number behind the text.
fn number_it(text: &mut String, longest: usize, number: usize) {
    let number = format!("-{number}");
    text.truncate(longest - number.len());
    text.push_str(&number);
}

/// The ports of an array that is not the first have numbers that go on from those before, so that two
/// arrays can present a LUN as one.
fn run_on(given: &mut Vec<(PortId, u16)>, shape: &ArrayShape, before: &[Array]) {
    if before.is_empty() {
        return;
    }
    let first = before.iter().map(|array| array.ports().count()).sum::<usize>() + 1;
    let controllers = shape.controllers.clone().filter_map(ControllerId::new);
    let ports = controllers
        .flat_map(|controller| (0..shape.ports).map(move |index| PortId { controller, index }));
    for (place, port) in ports.enumerate() {
        if !given.iter().any(|(named, _)| *named == port) {
            given.push((port, (first + place) as u16));
        }
    }
    given.sort_unstable();
}

/// Reports LUNs that a path sees under one number.
fn check_numbers<'t>(luns: impl Iterator<Item = &'t At<LunTable>>, checker: &mut Checker<'_>) {
    let configs = checker.shape.configs.clone();
    let nexuses: Vec<_> = checker.shape.nexuses().collect();
    for (index, (table, config)) in luns.zip(&configs).enumerate() {
        let taken = nexuses.iter().find_map(|nexus| {
            let number = config.number(*nexus)?;
            let mut others = configs[..index].iter();
            let other = others.find(|other| other.number(*nexus) == Some(number))?;
            Some((*nexus, number, other.lun))
        });
        if let Some((nexus, number, other)) = taken.filter(|(.., other)| *other != config.lun) {
            let problem = format!("{nexus} sees LUN {other} under number {number} already");
            let help = "give one of them another `number` there, or mask it";
            checker.refuse(&table.span, problem, help);
        }
    }
}

fn check_luns<'t>(
    luns: impl Iterator<Item = &'t At<LunTable>>,
    shape: &ArrayShape,
    before: &[Array],
    checker: &mut Checker<'_>,
) -> Vec<LunConfig> {
    let known: Vec<&LunConfig> = before.iter().flat_map(|array| &array.luns).collect();
    let mut resolved: Vec<LunConfig> = Vec::new();
    for (index, table) in luns.enumerate() {
        let place = (known.len() + index) as u64;
        let lun = table.check(&table.span, place, checker);
        if !shape.controllers.contains(&lun.owner.index())
            && checker.shape.has_controller(lun.owner)
        {
            let problem = format!("controller {} is of another array", lun.owner);
            let help = "write the LUN into the [[array]] whose controller owns it";
            checker.refuse(&table.owner.span, problem, help);
        }
        if known.iter().copied().chain(&resolved).any(|other| other.lun == lun.lun) {
            let span = table.lun.as_ref().map_or(&table.span, |lun| &lun.span);
            let help = "a LUN without a number gets its place in the list, from 0";
            checker.refuse(span, format!("there is another LUN {}", lun.lun), help);
        }
        resolved.push(lun);
    }
    resolved
}
