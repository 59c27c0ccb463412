//! `map`: the map of a LUN, whatever multipathd or the kernel have made of its disks.

use std::{fmt, sync::Arc};

use sansim_array::Lun;
use sansim_protocol::MapStatus;
use sansim_stage::{Condition, Judgement, World};

use super::{Context, ExpectWord, Expected, Expecting, condition, number::keeps};
use crate::{
    check::{Checker, Shape},
    form::table,
    value::{At, Comparison},
};

table! {
    /// The map of the LUN.
    pub(super) struct Map, "`map`" {
        /// The map of the LUN: the one that has disks of the LUN, whatever it is called.
        map: At<MapTable>,
    }
}

table! {
    /// A map and what it is like.
    struct MapTable, "a table such as { exists = false }" {
        /// Whether the LUN has a map. Default: true.
        exists: Option<bool>,
        /// The name of the map.
        name: Option<At<String>>,
        /// The WWID of the map, as multipathd calls it: what follows `mpath-` in its UUID.
        wwid: Option<At<String>>,
        /// The number of paths of the map, failed ones included.
        paths: Option<Comparison<u64>>,
    }
}

/// What is expected of the map of a LUN.
#[derive(Debug)]
struct OfMap {
    lun: Lun,
    wanted: Wanted,
}

#[derive(Debug)]
enum Wanted {
    NoMap,
    Map { name: Option<String>, wwid: Option<String>, paths: Option<Comparison<u64>> },
}

impl ExpectWord for Map {
    const EXAMPLE: &'static str = "map = { name = \"mpatha\", paths = 4 }";

    fn check(&self, context: &Context, checker: &mut Checker<'_>) -> Vec<Arc<dyn Expected>> {
        let At { value: MapTable { exists, name, wwid, paths }, span } = &self.map;
        let texts = [name, wwid];
        texts.into_iter().flatten().for_each(|text| checker.not_empty(text));
        let says_more = name.is_some() || wwid.is_some() || paths.is_some();
        if *exists == Some(false) && says_more {
            let help = "leave `exists` or the other keys away";
            checker.refuse(span, "a map that does not exist has no name and no paths", help);
        }
        if let Some(paths) = paths.as_ref().filter(|paths| paths.is_certain(u64::MAX)) {
            let help = "leave `paths` away";
            checker.refuse(span, format!("every number of paths is {paths}"), help);
        }
        let text = |given: &Option<At<String>>| given.as_ref().map(|text| text.value.clone());
        let wanted = match exists {
            Some(false) => Wanted::NoMap,
            _ => Wanted::Map { name: text(name), wwid: text(wwid), paths: paths.clone() },
        };
        vec![condition(OfMap { lun: context.lun, wanted })]
    }
}

impl Wanted {
    fn holds(&self, status: Option<&MapStatus>) -> bool {
        match (self, status) {
            (Wanted::NoMap, status) => status.is_none(),
            (Wanted::Map { .. }, None) => false,
            (Wanted::Map { name, wwid, paths }, Some(status)) => {
                name.as_ref().is_none_or(|name| *name == status.map)
                    && wwid.as_ref().is_none_or(|wwid| status.wwid() == Some(wwid))
                    && keeps(paths, status.paths().count() as u64)
            }
        }
    }
}

impl Condition for OfMap {
    fn judge(&self, world: &World) -> Judgement {
        let status = world.map_of(self.lun);
        let seen = match status {
            None => format!("LUN {} has no map", self.lun),
            Some(status) => {
                let wwid = status.wwid().map(|wwid| format!(" ({wwid})")).unwrap_or_default();
                let paths = status.paths().count();
                format!("LUN {} has the map {}{wwid} with {paths} paths", self.lun, status.map)
            }
        };
        Judgement::new(self.wanted.holds(status), seen)
    }

    fn subjects(&self) -> Vec<String> {
        let subject = |what: &str| format!("the {what} of LUN {}", self.lun);
        let Wanted::Map { name, wwid, paths } = &self.wanted else { return vec![subject("map")] };
        let asked = [(name.is_some(), "map's name"), (wwid.is_some(), "map's WWID")];
        let asked = asked.into_iter().chain([(paths.is_some(), "map's paths")]);
        asked.filter(|(is, _)| *is).map(|(_, what)| subject(what)).chain([subject("map")]).collect()
    }
}

impl Expected for OfMap {
    fn is_about_map_of(&self, lun: Lun) -> bool {
        self.lun == lun
    }

    fn is_about_discovery(&self) -> bool {
        true
    }

    fn put(&self, table: &mut Expecting) {
        let text = |text: &Option<String>| text.clone().map(At::nowhere);
        let of = match &self.wanted {
            Wanted::NoMap => MapTable { exists: Some(false), name: None, wwid: None, paths: None },
            Wanted::Map { name, wwid, paths } => {
                MapTable { exists: None, name: text(name), wwid: text(wwid), paths: paths.clone() }
            }
        };
        table.put("map", &of);
    }

    fn holds_at_first(&self, shape: &Shape) -> bool {
        let all = shape.most_paths().unwrap_or_default();
        match &self.wanted {
            Wanted::NoMap => false,
            Wanted::Map { name: None, wwid: None, paths } => keeps(paths, all),
            Wanted::Map { .. } => false,
        }
    }
}

impl fmt::Display for OfMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Wanted::Map { name, wwid, paths } = &self.wanted else {
            return write!(f, "no map of LUN {}", self.lun);
        };
        write!(f, "a map of LUN {}", self.lun)?;
        if let Some(name) = name {
            write!(f, ", called {name}")?;
        }
        if let Some(wwid) = wwid {
            write!(f, ", with the WWID {wwid}")?;
        }
        paths.as_ref().map_or(Ok(()), |paths| write!(f, ", with {paths} paths"))
    }
}
