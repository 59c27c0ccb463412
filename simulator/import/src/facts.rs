//! What a report says, before anybody concludes anything from it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// A disk's address: host, channel, target, LUN, as the kernel prints it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Address {
    pub(crate) host: u32,
    pub(crate) channel: u32,
    pub(crate) target: u32,
    pub(crate) lun: u64,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}:{}", self.host, self.channel, self.target, self.lun)
    }
}

impl Address {
    /// Reads `0:0:1:4`.
    pub(crate) fn read(text: &str) -> Option<Address> {
        let mut numbers = text.split(':');
        let mut next = || numbers.next()?.parse().ok();
        let (host, channel, target) = (next()?, next()?, next()?);
        let lun = numbers.next()?.parse().ok()?;
        numbers.next().is_none().then_some(Address { host, channel, target, lun })
    }

    /// The remote port that it is behind, as a host sees it.
    pub(crate) fn remote(&self) -> Remote {
        Remote { host: self.host, channel: self.channel, target: self.target }
    }
}

/// A target of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Remote {
    pub(crate) host: u32,
    pub(crate) channel: u32,
    pub(crate) target: u32,
}

/// A map of dm-multipath.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Map {
    /// Its name: an alias, or the WWID.
    pub(crate) name: String,
    pub(crate) wwid: Option<String>,
    pub(crate) vendor: String,
    pub(crate) product: String,
    /// In bytes.
    pub(crate) size: Option<u64>,
    /// `queue_if_no_path`, `pg_init_retries 50`, ….
    pub(crate) features: Vec<String>,
    /// The device handler: `rdac`, or the empty string for none.
    pub(crate) handler: Option<String>,
    pub(crate) groups: Vec<Group>,
}

/// A path group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) priority: Option<i32>,
    /// Whether it is the one in use.
    pub(crate) active: bool,
    pub(crate) paths: Vec<Path>,
}

/// What a report says of a path's health.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PathState {
    /// Nothing is wrong with it.
    #[default]
    Good,
    /// dm-multipath has failed it, and the path checker has nothing against it, or was not asked.
    GivenUp,
    /// The path checker says that it is down: `faulty`.
    Down,
}

/// A path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) address: Option<Address>,
    /// The disk's name: `sdc`.
    pub(crate) disk: Option<String>,
    /// `8:32`.
    pub(crate) number: Option<String>,
    pub(crate) state: PathState,
    /// The target port's world-wide name.
    pub(crate) port_name: Option<String>,
}

/// A disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Disk {
    pub(crate) vendor: String,
    pub(crate) product: String,
    pub(crate) revision: String,
    pub(crate) name: Option<String>,
    /// In bytes.
    pub(crate) size: Option<u64>,
}

/// A target port group, as REPORT TARGET PORT GROUPS told it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PortGroup {
    pub(crate) id: u16,
    /// The access state's code (SPC-4 6.30).
    pub(crate) state: u8,
    pub(crate) preferred: bool,
    pub(crate) ports: Vec<u16>,
}

/// A page of INQUIRY data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    /// `standard`, or the page's code in hexadecimal.
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// The text that it is from.
    pub(crate) from: String,
}

/// Everything that a report says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) maps: Vec<Map>,
    /// Maps that one text shows again, after others: how they were later, in the order of the text.
    pub(crate) later: Vec<Vec<Map>>,
    pub(crate) disks: BTreeMap<Address, Disk>,
    /// multipath.conf with the files of conf.d, and the name of the text.
    pub(crate) conf: Option<(String, String)>,
    /// The configuration as multipathd shows it.
    pub(crate) shown_config: Option<(String, String)>,
    /// `uname -r`.
    pub(crate) kernel: Option<String>,
    /// The version of multipath-tools.
    pub(crate) tools: Option<String>,
    /// Whether only `dmsetup` tells of the maps.
    pub(crate) only_dm: bool,
    /// The device handler that the kernel's log tells of.
    pub(crate) handler_in_log: Option<String>,
    /// Targets of which the log says that they are in another access state than the rest.
    pub(crate) apart: BTreeSet<Remote>,
    /// Names in the log: of maps and of arrays.
    pub(crate) names_in_log: BTreeSet<(&'static str, String)>,
    /// The TPGS field of INQUIRY data.
    pub(crate) tpgs: Option<u8>,
    pub(crate) port_groups: Vec<PortGroup>,
    pub(crate) pages: Vec<Page>,
}

/// Most maps and disks that are kept: a report of a large host has some thousands.
const MOST: usize = 50_000;
/// Most times that a map is shown again.
const MOST_LATER: usize = 8;

impl Facts {
    /// Adds a map, or what is new of one that is known.
    pub(crate) fn map(&mut self, map: Map) {
        let known = self.maps.iter().position(|known| known.is(&map));
        match known {
            Some(known) => self.maps[known].complete(map),
            None if self.maps.len() < MOST => self.maps.push(map),
            None => {}
        }
    }

    /// Adds a map as one text shows it again: for the second time (0), the third (1), and so on.
    pub(crate) fn map_again(&mut self, time: usize, map: Map) {
        if time >= MOST_LATER {
            return;
        }
        if self.later.len() <= time {
            self.later.resize(time + 1, Vec::new());
        }
        if self.later[time].len() < MOST {
            self.later[time].push(map);
        }
    }

    /// Adds a disk, or what is new of one that is known.
    pub(crate) fn disk(&mut self, address: Address, disk: Disk) {
        if self.disks.len() >= MOST && !self.disks.contains_key(&address) {
            return;
        }
        let known = self.disks.entry(address).or_default();
        for (known, new) in [
            (&mut known.vendor, disk.vendor),
            (&mut known.product, disk.product),
            (&mut known.revision, disk.revision),
        ] {
            if known.is_empty() {
                *known = new;
            }
        }
        known.name = known.name.take().or(disk.name);
        known.size = known.size.take().or(disk.size);
    }

    /// Remembers a name that the log tells, which is private.
    pub(crate) fn name_in_log(&mut self, kind: &'static str, name: &str) {
        let is_disk = name.starts_with("sd") && name.len() < 8;
        if !is_disk && name.len() >= 3 && self.names_in_log.len() < 1000 {
            self.names_in_log.insert((kind, name.to_owned()));
        }
    }

    /// The disk of a name.
    pub(crate) fn named(&self, name: &str) -> Option<Address> {
        let of_disks =
            self.disks.iter().find(|(_, disk)| disk.name.as_deref() == Some(name)).map(|it| *it.0);
        of_disks.or_else(|| self.path(|path| path.disk.as_deref() == Some(name)))
    }

    /// The disk of a device number: `8:32`.
    pub(crate) fn numbered(&self, number: &str) -> Option<Address> {
        self.path(|path| path.number.as_deref() == Some(number))
            .or_else(|| self.named(&disk_name(number)?))
    }

    fn path(&self, is_it: impl Fn(&Path) -> bool) -> Option<Address> {
        let mut paths = self.maps.iter().flat_map(|map| &map.groups).flat_map(|group| &group.paths);
        paths.find(|path| is_it(path)).and_then(|path| path.address)
    }

    /// Brings together what different texts say of one thing: the addresses of paths of which only numbers are
    /// known, the vendors of maps of which only disks are.
    pub(crate) fn settle(&mut self) {
        let addresses: Vec<(usize, usize, usize, Address)> = self
            .every_path()
            .filter(|(_, path)| path.address.is_none())
            .filter_map(|(at, path)| {
                let by_name = path.disk.as_deref().and_then(|name| self.named(name));
                let found = by_name.or_else(|| self.numbered(path.number.as_deref()?))?;
                Some((at.0, at.1, at.2, found))
            })
            .collect();
        for (map, group, path, address) in addresses {
            self.maps[map].groups[group].paths[path].address = Some(address);
        }
        for index in 0..self.maps.len() {
            let map = &self.maps[index];
            let mut of_map = map.groups.iter().flat_map(|it| &it.paths).filter_map(|it| it.address);
            let Some(disk) = of_map.find_map(|it| self.disks.get(&it)).cloned() else { continue };
            let map = &mut self.maps[index];
            if map.vendor.is_empty() && map.product.is_empty() {
                (map.vendor, map.product) = (disk.vendor, disk.product);
            }
            map.size = map.size.or(disk.size);
        }
    }

    fn every_path(&self) -> impl Iterator<Item = ((usize, usize, usize), &Path)> {
        self.maps.iter().enumerate().flat_map(|(m, map)| {
            map.groups.iter().enumerate().flat_map(move |(g, group)| {
                group.paths.iter().enumerate().map(move |(p, path)| ((m, g, p), path))
            })
        })
    }
}

impl Map {
    /// Whether this is the same map.
    pub(crate) fn is(&self, other: &Map) -> bool {
        self.name == other.name || (self.wwid.is_some() && self.wwid == other.wwid)
    }

    /// Takes what is not known yet from another text about the same map.
    fn complete(&mut self, other: Map) {
        if self.vendor.is_empty() {
            (self.vendor, self.product) = (other.vendor, other.product);
        }
        self.wwid = self.wwid.take().or(other.wwid);
        self.size = self.size.or(other.size);
        self.handler = self.handler.take().or(other.handler);
        if self.features.is_empty() {
            self.features = other.features;
        }
        if self.groups.is_empty() {
            self.groups = other.groups;
            return;
        }
        for (group, other) in self.groups.iter_mut().zip(other.groups) {
            group.priority = group.priority.or(other.priority);
            for path in &mut group.paths {
                let same = |it: &&Path| it.number == path.number || it.address == path.address;
                if let Some(other) = other.paths.iter().find(same) {
                    path.address = path.address.or(other.address);
                    path.port_name = path.port_name.take().or(other.port_name.clone());
                    path.disk = path.disk.take().or(other.disk.clone());
                }
            }
        }
    }
}

/// The usual name of a SCSI disk by its device number (Documentation/admin-guide/devices.txt: sixteen minors
/// each; majors 8, 65 to 71, 128 to 135).
fn disk_name(number: &str) -> Option<String> {
    let (major, minor) = number.split_once(':')?;
    let (major, minor): (u32, u32) = (major.parse().ok()?, minor.parse().ok()?);
    let block = match major {
        8 => 0,
        65..=71 => major - 64,
        128..=135 => major - 120,
        _ => return None,
    };
    let mut index = block * 16 + minor.checked_div(16).filter(|it| *it < 16)?;
    let mut letters = Vec::new();
    loop {
        letters.push(char::from(b'a' + (index % 26) as u8));
        match index / 26 {
            0 => break,
            more => index = more - 1,
        }
    }
    Some(format!("sd{}", letters.into_iter().rev().collect::<String>()))
}
