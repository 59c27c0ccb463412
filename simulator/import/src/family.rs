//! Which family and model an array is of.

use sansim_language::model;

use crate::facts::Facts;

/// A family of arrays, by the name that the language has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Rdac,
    Emc,
    HpSw,
    Alua,
}

impl Family {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Family::Rdac => "rdac",
            Family::Emc => "emc",
            Family::HpSw => "hp_sw",
            Family::Alua => "alua",
        }
    }

    fn of_handler(handler: &str) -> Option<Family> {
        [Family::Rdac, Family::Emc, Family::HpSw, Family::Alua]
            .into_iter()
            .find(|family| family.name() == handler)
    }

    /// The operation by which a host moves a LUN.
    pub(crate) fn activation(self) -> &'static str {
        match self {
            Family::Rdac | Family::Emc => "MODE SELECT",
            Family::HpSw => "START STOP UNIT",
            Family::Alua => "SET TARGET PORT GROUPS",
        }
    }
}

/// Arrays whose handler is known by vendor and beginning of the product: those that the kernel's own list has
/// (scsi_dh.c:scsi_dh_blist).
const KNOWN: [(&str, &str, Family); 26] = [
    ("DGC", "RAID", Family::Emc),
    ("DGC", "DISK", Family::Emc),
    ("DGC", "VRAID", Family::Emc),
    ("COMPAQ", "MSA1000 VOLUME", Family::HpSw),
    ("COMPAQ", "HSV110", Family::HpSw),
    ("HP", "HSV100", Family::HpSw),
    ("DEC", "HSG80", Family::HpSw),
    ("IBM", "1722", Family::Rdac),
    ("IBM", "1724", Family::Rdac),
    ("IBM", "1726", Family::Rdac),
    ("IBM", "1742", Family::Rdac),
    ("IBM", "1745", Family::Rdac),
    ("IBM", "1746", Family::Rdac),
    ("IBM", "1813", Family::Rdac),
    ("IBM", "1814", Family::Rdac),
    ("IBM", "1815", Family::Rdac),
    ("IBM", "1818", Family::Rdac),
    ("IBM", "3526", Family::Rdac),
    ("IBM", "3542", Family::Rdac),
    ("IBM", "3552", Family::Rdac),
    ("DELL", "MD3", Family::Rdac),
    ("SUN", "CSM", Family::Rdac),
    ("SUN", "LCSM100", Family::Rdac),
    ("SUN", "STK6580", Family::Rdac),
    ("NETAPP", "INF-01-00", Family::Rdac),
    ("LSI", "INF-01-00", Family::Rdac),
];

/// The family of an array, and the reason if it is a guess.
pub(crate) fn of(
    vendor: &str,
    product: &str,
    handler: Option<&str>,
    facts: &Facts,
) -> (Family, Option<String>) {
    let told = handler.filter(|it| !it.is_empty()).or(facts.handler_in_log.as_deref());
    if let Some(family) = told.and_then(Family::of_handler) {
        return (family, None);
    }
    if facts.tpgs.is_some_and(|tpgs| tpgs != 0) || !facts.port_groups.is_empty() {
        return (Family::Alua, None);
    }
    let known = KNOWN.iter().find(|(v, p, _)| *v == vendor && product.starts_with(p));
    if let Some((_, _, family)) = known {
        let why = format!(
            "the report names no device handler; the kernel takes {vendor} {product} for one of {}",
            family.name()
        );
        return (*family, Some(why));
    }
    if let Some((_, text)) = model(vendor, product, None)
        && let Some(family) = personality(text).as_deref().and_then(Family::of_handler)
    {
        let why = format!("the report names no device handler; the model has {}", family.name());
        return (family, Some(why));
    }
    let why = "the report names no device handler, and the array is not one of those that sansim knows: alua, the \
               family of most arrays of today";
    (Family::Alua, Some(why.to_owned()))
}

/// The model of a vendor and a product, of this family if one is given: its name and text.
pub(crate) fn model(
    vendor: &str,
    product: &str,
    family: Option<Family>,
) -> Option<(&'static str, &'static str)> {
    model::models().find(|(_, text)| {
        let table: toml::Table = text.parse().unwrap_or_default();
        let is =
            |key: &str, value: &str| table.get(key).and_then(toml::Value::as_str) == Some(value);
        is("vendor", vendor)
            && is("product", product)
            && family.is_none_or(|family| is("personality", family.name()))
    })
}

fn personality(text: &str) -> Option<String> {
    let table: toml::Table = text.parse().ok()?;
    Some(table.get("personality")?.as_str()?.to_owned())
}
