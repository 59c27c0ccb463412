//! The SAN that a report shows: the array, its controllers and ports, which HBA sees which of them, the LUNs.

mod shown;
mod sides;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    ImportError,
    facts::{Address, Disk, Facts, Group, Map, Path, Remote},
    family::{self, Family},
};
pub(crate) use shown::States;
pub(crate) use sides::Side;
use sides::Sides;

/// The most HBAs, and ports of a controller, that sansim has.
const MOST_HBAS: usize = 8;
const MOST_PORTS: usize = 10;

/// Vendors of disks that are in no array.
const LOCAL: [&str; 7] = ["ATA", "VMware", "QEMU", "Msft", "Virtio", "NVMe", "VBOX"];

/// A port by its controller and number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Port {
    pub(crate) side: Side,
    pub(crate) number: usize,
}

impl std::fmt::Display for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.side.name(), self.number)
    }
}

/// An HBA, and a port that it sees.
pub(crate) type Nexus = (usize, Port);

/// An expectation that these paths are failed.
pub(crate) fn failed<'n>(paths: impl IntoIterator<Item = &'n Nexus>) -> String {
    let failed = paths
        .into_iter()
        .map(|(hba, port)| format!("{{ port = \"{port}\", hba = {hba}, state = \"failed\" }}"));
    format!("path = [{}]", failed.collect::<Vec<_>>().join(", "))
}

/// A LUN of the array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lun {
    pub(crate) number: u64,
    /// The name of its map in the report.
    pub(crate) map: String,
    pub(crate) wwid: Option<String>,
    /// In bytes; `None` if the report does not say.
    pub(crate) size: Option<u64>,
    pub(crate) owner: Side,
    /// The paths that see it, with its number there, if they are not all, or the number differs.
    pub(crate) mapping: Option<Vec<(usize, Port, u64)>>,
    pub(crate) paths: usize,
    /// The states of its paths each time that the report shows them; once at least.
    pub(crate) shown: Vec<States>,
}

/// What a report shows.
#[derive(Debug, Clone)]
pub(crate) struct San {
    pub(crate) family: Family,
    pub(crate) vendor: String,
    pub(crate) product: String,
    pub(crate) revision: String,
    /// The ports that each HBA sees, in the order of the kernel's targets.
    pub(crate) targets: Vec<Vec<Port>>,
    pub(crate) ports_per_controller: usize,
    pub(crate) luns: Vec<Lun>,
    /// The map that stands for the others where all are alike.
    pub(crate) map: Map,
    pub(crate) guesses: Vec<String>,
    hosts: Vec<u32>,
    ports: BTreeMap<Remote, Port>,
}

impl San {
    /// The SAN of these facts, with at most `most` LUNs.
    pub(crate) fn of(facts: &Facts, most: usize) -> Result<San, ImportError> {
        let mut guesses = Vec::new();
        let maps = with_addresses(facts, &mut guesses);
        let maps = of_one_array(maps, &mut guesses);
        let first = maps.first().cloned().ok_or(ImportError::NoArray)?;
        let handler = maps.iter().find_map(|map| map.handler.clone());
        let (vendor, product) = (first.vendor.clone(), first.product.clone());
        let (family, why) = family::of(&vendor, &product, handler.as_deref(), facts);
        guesses.extend(why.map(|why| format!("family: {why}")));
        let hosts = hosts(&maps, &mut guesses);
        let sides = Sides::of(&maps, &facts.apart, &mut guesses);
        let ports = ports(&maps, &hosts, &sides, &mut guesses);
        let targets: Vec<Vec<Port>> = hosts
            .iter()
            .map(|host| {
                let mut seen: Vec<Port> = Vec::new();
                for (_, port) in ports.iter().filter(|(remote, _)| remote.host == *host) {
                    if !seen.contains(port) {
                        seen.push(*port);
                    }
                }
                seen
            })
            .collect();
        let ports_per_controller = ports.values().map(|port| port.number + 1).max().unwrap_or(1);
        let revision = first
            .groups
            .iter()
            .flat_map(|group| &group.paths)
            .filter_map(|path| facts.disks.get(&path.address?))
            .map(|disk| disk.revision.clone())
            .find(|revision| !revision.is_empty());
        let mut san = San {
            family,
            vendor,
            product,
            revision: revision.unwrap_or_default(),
            targets,
            ports_per_controller,
            luns: Vec::new(),
            map: first,
            guesses,
            hosts,
            ports,
        };
        san.take_luns(&maps, facts, &sides, most);
        Ok(san)
    }

    /// The HBA and the port of a disk of the report.
    pub(crate) fn place(&self, address: Address) -> Option<(usize, Port)> {
        let hba = self.hosts.iter().position(|host| *host == address.host)?;
        Some((hba, *self.ports.get(&address.remote())?))
    }

    /// The ports that a host of the report sees.
    pub(crate) fn of_host(&self, host: u32) -> Vec<(usize, Port)> {
        let Some(hba) = self.hosts.iter().position(|it| *it == host) else { return Vec::new() };
        self.targets[hba].iter().map(|port| (hba, *port)).collect()
    }

    /// The ports of a controller that some HBA sees.
    pub(crate) fn ports_of(&self, side: Side) -> BTreeSet<(usize, Port)> {
        let every = self.targets.iter().enumerate();
        every
            .flat_map(|(hba, ports)| ports.iter().map(move |port| (hba, *port)))
            .filter(|(_, port)| port.side == side)
            .collect()
    }

    /// Where the LUN of a map is seen, with its number there.
    fn seen(&self, map: &Map) -> Vec<Seen> {
        let mut seen: Vec<Seen> = Vec::new();
        for path in map.groups.iter().flat_map(|group| &group.paths) {
            let Some(address) = path.address else { continue };
            let Some((hba, port)) = self.place(address) else { continue };
            if seen.iter().all(|(h, p, _)| (*h, *p) != (hba, port)) {
                seen.push((hba, port, address.lun));
            }
        }
        seen
    }

    fn take_luns(&mut self, maps: &[Map], facts: &Facts, sides: &Sides, most: usize) {
        let every: usize = self.targets.iter().map(Vec::len).sum();
        let mut taken = Taken::default();
        let mut numbers_made = false;
        for map in maps.iter().take(most) {
            let mut seen = self.seen(map);
            let Some(&(_, _, told)) = seen.first() else { continue };
            let number = match taken.is_free(told, &seen) {
                true => told,
                false => {
                    numbers_made = true;
                    let number = taken.next();
                    seen.iter_mut().for_each(|place| place.2 = number);
                    number
                }
            };
            taken.take(number, &seen);
            let as_ever = seen.len() == every && seen.iter().all(|it| it.2 == number);
            seen.sort();
            self.luns.push(Lun {
                number,
                map: map.name.clone(),
                wwid: map.wwid.clone(),
                size: map.size,
                owner: sides.owner(map),
                paths: seen.len(),
                mapping: (!as_ever).then_some(seen),
                shown: self.shown(map, &facts.later),
            });
        }
        if numbers_made {
            let why = "some LUNs have got other numbers: theirs are taken, as by another array of the kind, or above 16383";
            self.guesses.push(format!("LUN numbers: {why}"));
        }
        if maps.len() > most {
            let left = maps.len() - most;
            let why = "so that the guest starts within seconds (--luns takes more)";
            self.guesses.push(format!("LUNs: {left} further maps are left out, {why}"));
        }
        if self.luns.iter().any(|lun| lun.size.is_none()) {
            let why =
                "the report has the sizes of maps in `multipath -ll` and `dmsetup table` only";
            self.guesses.push(format!("sizes: 1GiB where nothing tells; {why}"));
        }
        self.luns.sort_by_key(|lun| lun.number);
    }
}

/// A place where a LUN is seen, and its number there.
type Seen = (usize, Port, u64);

/// The highest number of a LUN that flat space addressing has (SAM-5 4.7.7.3).
const HIGHEST: u64 = 0x3fff;

/// Numbers that are taken: by LUNs, and at places.
#[derive(Debug, Default)]
struct Taken {
    numbers: BTreeSet<u64>,
    places: BTreeSet<Seen>,
}

impl Taken {
    /// Whether a LUN can have this number, and be seen at these places.
    fn is_free(&self, number: u64, seen: &[Seen]) -> bool {
        let (mut places, highest) = (seen.iter(), seen.iter().map(|it| it.2).max());
        highest.is_some_and(|it| it <= HIGHEST)
            && !self.numbers.contains(&number)
            && places.all(|it| !self.places.contains(it))
    }

    /// A number that nobody has.
    fn next(&self) -> u64 {
        let of_places: BTreeSet<u64> = self.places.iter().map(|it| it.2).collect();
        let is_free = |it: &u64| !self.numbers.contains(it) && !of_places.contains(it);
        (0..).find(is_free).unwrap_or_default()
    }

    fn take(&mut self, number: u64, seen: &[Seen]) {
        self.numbers.insert(number);
        self.places.extend(seen.iter().copied());
    }
}

/// The maps, with an address for each path. Where there are no maps, disks that look alike and have one number are
/// one LUN.
fn with_addresses(facts: &Facts, guesses: &mut Vec<String>) -> Vec<Map> {
    let mut maps = facts.maps.clone();
    maps.retain(|map| map.groups.iter().any(|group| !group.paths.is_empty()));
    if maps.is_empty() {
        maps = of_disks(&facts.disks, guesses);
    }
    let is_unknown = |path: &Path| path.address.is_none();
    let none = maps.iter().flat_map(|it| &it.groups).flat_map(|it| &it.paths).all(is_unknown);
    if none && !maps.is_empty() {
        let why = "the report has device numbers only: the first path of each group is at the first HBA, and so on";
        guesses.push(format!("addresses: {why}"));
        for (lun, map) in maps.iter_mut().enumerate() {
            for (target, group) in map.groups.iter_mut().enumerate() {
                for (host, path) in group.paths.iter_mut().enumerate() {
                    let (host, target) = (host as u32, target as u32);
                    path.address = Some(Address { host, channel: 0, target, lun: lun as u64 });
                }
            }
        }
    }
    for group in maps.iter_mut().flat_map(|map| &mut map.groups) {
        group.paths.retain(|path| path.address.is_some());
    }
    maps.retain(|map| map.groups.iter().any(|group| !group.paths.is_empty()));
    if !maps.is_empty() && maps.len() < facts.maps.len() {
        let left = facts.maps.len() - maps.len();
        guesses.push(format!("maps: {left} are left out: no path of theirs is known"));
    }
    maps
}

fn of_disks(disks: &BTreeMap<Address, Disk>, guesses: &mut Vec<String>) -> Vec<Map> {
    /// Vendor, product and number.
    type Alike = (String, String, u64);
    let mut luns: BTreeMap<Alike, (Option<u64>, Vec<Path>)> = BTreeMap::new();
    for (address, disk) in disks {
        let lun = (disk.vendor.clone(), disk.product.clone(), address.lun);
        let (size, paths) = luns.entry(lun).or_default();
        *size = size.or(disk.size);
        paths.push(Path { address: Some(*address), disk: disk.name.clone(), ..Path::default() });
    }
    luns.retain(|(vendor, _, _), _| !LOCAL.contains(&vendor.as_str()));
    if luns.values().any(|(_, paths)| paths.len() > 1) {
        luns.retain(|_, (_, paths)| paths.len() > 1);
    }
    if !luns.is_empty() {
        let why = "the report has no maps: disks of one product with one LUN number are the paths of one LUN";
        guesses.push(format!("LUNs: {why}"));
    }
    let maps = luns.into_iter().map(|((vendor, product, lun), (size, paths))| Map {
        name: format!("lun{lun}"),
        vendor,
        product,
        size,
        groups: vec![Group { paths, ..Group::default() }],
        ..Map::default()
    });
    maps.collect()
}

/// The maps of the array that has most of them.
fn of_one_array(maps: Vec<Map>, guesses: &mut Vec<String>) -> Vec<Map> {
    let mut arrays: BTreeMap<(String, String), usize> = BTreeMap::new();
    for map in &maps {
        *arrays.entry((map.vendor.clone(), map.product.clone())).or_default() += 1;
    }
    let Some(((vendor, product), _)) = arrays.iter().max_by_key(|(_, count)| **count) else {
        return maps;
    };
    let others: Vec<String> = arrays
        .iter()
        .filter(|(array, _)| (&array.0, &array.1) != (vendor, product))
        .map(|((vendor, product), count)| format!("{vendor} {product} ({count} maps)"))
        .collect();
    if !others.is_empty() {
        let why = "sansim has one array, and this one has most maps";
        guesses.push(format!("array: {vendor} {product}; left out: {}; {why}", others.join(", ")));
    }
    let (vendor, product) = (vendor.clone(), product.clone());
    maps.into_iter().filter(|map| map.vendor == vendor && map.product == product).collect()
}

fn remotes(maps: &[Map]) -> BTreeMap<Remote, Option<String>> {
    let mut remotes: BTreeMap<Remote, Option<String>> = BTreeMap::new();
    for path in maps.iter().flat_map(|map| &map.groups).flat_map(|group| &group.paths) {
        if let Some(address) = path.address {
            let name = remotes.entry(address.remote()).or_default();
            *name = name.take().or(path.port_name.clone());
        }
    }
    remotes
}

fn hosts(maps: &[Map], guesses: &mut Vec<String>) -> Vec<u32> {
    let hosts: BTreeSet<u32> = remotes(maps).keys().map(|remote| remote.host).collect();
    if hosts.len() > MOST_HBAS {
        let left = hosts.len() - MOST_HBAS;
        guesses.push(format!(
            "HBAs: {left} of {} are left out: sansim has at most {MOST_HBAS}",
            hosts.len()
        ));
    }
    hosts.into_iter().take(MOST_HBAS).collect()
}

/// The port behind each target. Two HBAs see one port if it has one world-wide name.
fn ports(
    maps: &[Map],
    hosts: &[u32],
    sides: &Sides,
    guesses: &mut Vec<String>,
) -> BTreeMap<Remote, Port> {
    let mut by_name: BTreeMap<String, Port> = BTreeMap::new();
    let mut next: BTreeMap<Side, usize> = BTreeMap::new();
    let mut ports = BTreeMap::new();
    let (mut unnamed, mut left_out) = (false, 0);
    for (remote, name) in remotes(maps) {
        if !hosts.contains(&remote.host) {
            continue;
        }
        let side = sides.side(remote);
        let known = name.as_ref().and_then(|name| by_name.get(name)).copied();
        let port = known.unwrap_or_else(|| {
            let number = next.entry(side).or_default();
            *number += 1;
            Port { side, number: *number - 1 }
        });
        unnamed |= name.is_none();
        if let Some(name) = name {
            by_name.insert(name, port);
        }
        match port.number < MOST_PORTS {
            true => drop(ports.insert(remote, port)),
            false => left_out += 1,
        }
    }
    if unnamed && hosts.len() > 1 {
        let why = "the report has no names of target ports (`multipathd show maps json` has)";
        guesses.push(format!("ports: each HBA sees ports of its own; {why}"));
    }
    if left_out > 0 {
        guesses
            .push(format!("ports: {left_out} are left out: a controller has at most {MOST_PORTS}"));
    }
    ports
}
