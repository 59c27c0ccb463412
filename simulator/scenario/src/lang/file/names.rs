//! Names of controllers, ports, paths, operations and ranges.

use std::{borrow::Cow, fmt, ops::RangeInclusive, str::FromStr};

use sansim_array::{ControllerId, ControllerState, OpMatcher, PortId, Sense, TmfMatcher};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, Visitor, value::MapAccessDeserializer},
};

use crate::lang::{
    plan::{PathPattern, Reinstate},
    value::{At, Kind, Text},
};

/// A value that is written as a string and knows where it stands.
pub type Name<T> = At<Text<T>>;

impl Kind for ControllerId {
    const EXPECTED: &'static str = "a controller such as \"A\"";
    const PATTERN: &'static str = "^[A-H]$";

    fn schema_name() -> Cow<'static, str> {
        "Controller".into()
    }
}

impl Kind for PortId {
    const EXPECTED: &'static str = "a port such as \"A0\"";
    const PATTERN: &'static str = "^[A-H][0-9]$";

    fn schema_name() -> Cow<'static, str> {
        "Port".into()
    }
}

impl Kind for Sense {
    const EXPECTED: &'static str = "sense data as key/code/qualifier in hex, such as \"06/2a/01\"";
    const PATTERN: &'static str = "^0?[0-9a-fA-F]/[0-9a-fA-F]{1,2}/[0-9a-fA-F]{1,2}$";

    fn schema_name() -> Cow<'static, str> {
        "Sense".into()
    }
}

impl Kind for ControllerState {
    const EXPECTED: &'static str =
        "a controller's state: online, quiescing, booting, upgrading, offline, failed or removed";
    const PATTERN: &'static str = "^(online|quiescing|booting|upgrading|offline|failed|removed)$";

    fn schema_name() -> Cow<'static, str> {
        "ControllerState".into()
    }
}

/// A part of the array that can fail: `controller A`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part(pub ControllerId);

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_whitespace().collect::<Vec<_>>()[..] {
            ["controller", name] => name.parse().map(Part).map_err(|e| e.to_string()),
            [name] if name.parse::<ControllerId>().is_ok() => {
                Err(format!("write what {name} is: \"controller {name}\""))
            }
            _ => Err(format!("{text:?} is nothing that can fail: write {}", Self::EXPECTED)),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "controller {}", self.0)
    }
}

impl Kind for Part {
    const EXPECTED: &'static str = "a controller such as \"controller A\"";
    const PATTERN: &'static str = "^controller [A-H]$";

    fn schema_name() -> Cow<'static, str> {
        "Part".into()
    }
}

/// Controllers and their states: `A quiescing`, or several of them: `A failed, B booting`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControllersAre(pub Vec<(ControllerId, ControllerState)>);

impl FromStr for ControllersAre {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let one = |text: &str| {
            let Some((controller, state)) = text.trim().split_once(char::is_whitespace) else {
                return Err(format!("{text:?} is incomplete: write {}", Self::EXPECTED));
            };
            let controller = controller.parse().map_err(|e| format!("{e}"))?;
            Ok((controller, state.trim().parse().map_err(|e| format!("{e}"))?))
        };
        text.split(',').map(one).collect::<Result<_, _>>().map(ControllersAre)
    }
}

impl fmt::Display for ControllersAre {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (controller, state)) in self.0.iter().enumerate() {
            write!(f, "{}{controller} {state}", if index > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}

impl Kind for ControllersAre {
    const EXPECTED: &'static str = "a controller and a state such as \"A quiescing\"";
    const PATTERN: &'static str = "^[A-H] [a-z]+(, *[A-H] [a-z]+)*$";

    fn schema_name() -> Cow<'static, str> {
        "ControllersAre".into()
    }
}

impl Kind for OpMatcher {
    const EXPECTED: &'static str = "an operation such as \"MODE SELECT\" or \"MODE SELECT(10)\", \"READ\", \"medium\" or \"any\"";
    const PATTERN: &'static str = "^.+$";

    fn schema_name() -> Cow<'static, str> {
        "Operation".into()
    }
}

impl Kind for TmfMatcher {
    const EXPECTED: &'static str =
        "a task management function such as \"ABORT TASK\" or \"LOGICAL UNIT RESET\", or \"any\"";
    const PATTERN: &'static str = "^.+$";

    fn schema_name() -> Cow<'static, str> {
        "TaskManagement".into()
    }
}

/// Numbers from one to another, both included: `2..5`; `3..` has no end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberRange(pub RangeInclusive<u64>);

impl FromStr for NumberRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a range: write {}", Self::EXPECTED);
        let (first, last) = text.split_once("..").ok_or_else(wrong)?;
        let first: u64 = first.trim().parse().map_err(|_| wrong())?;
        let last = match last.trim() {
            "" => u64::MAX,
            last => last.parse().map_err(|_| wrong())?,
        };
        if first > last {
            return Err(format!("{text:?} is an empty range: both ends are included"));
        }
        Ok(NumberRange(first..=last))
    }
}

impl fmt::Display for NumberRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self.0.end() {
            u64::MAX => write!(f, "{}..", self.0.start()),
            end => write!(f, "{}..{end}", self.0.start()),
        }
    }
}

impl Kind for NumberRange {
    const EXPECTED: &'static str = "a range such as \"2..5\" (both included) or \"3..\" (no end)";
    const PATTERN: &'static str = r"^[0-9]+\.\.([0-9]+)?$";

    fn schema_name() -> Cow<'static, str> {
        "Range".into()
    }
}

impl Kind for PathPattern {
    const EXPECTED: &'static str =
        "a path such as \"A0\" or \"hba0:A0\" or { hba = 0, port = \"A0\" }";
    const PATTERN: &'static str = "^(hba[0-9]+:)?[A-H][0-9]$";

    fn schema_name() -> Cow<'static, str> {
        "Path".into()
    }
}

impl Kind for Reinstate {
    const EXPECTED: &'static str =
        "\"all\" or a path such as \"A0\" or \"hba0:A0\" or { hba = 0, port = \"A0\" }";
    const PATTERN: &'static str = "^(all|(hba[0-9]+:)?[A-H][0-9])$";

    fn schema_name() -> Cow<'static, str> {
        "AllOrPath".into()
    }
}

impl From<PathPattern> for Reinstate {
    fn from(pattern: PathPattern) -> Self {
        Reinstate::Paths(pattern)
    }
}

impl FromStr for Reinstate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => Ok(Reinstate::All),
            _ => text.parse().map(Reinstate::Paths),
        }
    }
}

/// One or several paths: a port, an HBA and a port, or a table of both.
pub type PathName = StringOrPath<PathPattern>;

/// [`PathName`], or all paths.
pub type PathsName = StringOrPath<Reinstate>;

/// A value that is written as a string or as a table with `port` and perhaps `hba`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StringOrPath<T>(pub T);

/// A port, and the HBA if only one is meant.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PathTable {
    /// The HBA, from 0. Any of them unless given.
    hba: Option<u8>,
    /// The port.
    port: Text<PortId>,
}

impl<'de, T: Kind + From<PathPattern>> Deserialize<'de> for StringOrPath<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(std::marker::PhantomData<T>);

        impl<'de, T: Kind + From<PathPattern>> Visitor<'de> for Reader<T> {
            type Value = StringOrPath<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(T::EXPECTED)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                text.parse().map(StringOrPath).map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let table = PathTable::deserialize(MapAccessDeserializer::new(map))?;
                let hba = table.hba.map(sansim_array::HbaId);
                Ok(StringOrPath(PathPattern { hba, port: table.port.0 }.into()))
            }
        }

        deserializer.deserialize_any(Reader(std::marker::PhantomData))
    }
}

impl<T: Kind> Serialize for StringOrPath<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<T: Kind> JsonSchema for StringOrPath<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<PathTable>();
        json_schema!({ "anyOf": [{ "type": "string", "pattern": T::PATTERN }, table] })
    }
}
