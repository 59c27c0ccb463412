//! The notation of controllers, ports, paths, operations, pages and ranges.

use std::{fmt, ops::RangeInclusive, str::FromStr};

use sansim_array::{
    AccessState, ControllerId, ControllerState, HbaId, InquiryPage, LunCondition, OpMatcher,
    PortId, Sense, Stage, TmfMatcher,
};
use sansim_stage::{PathPattern, Reinstate};
use toml::de::DeValue;

use crate::form::{Form, Given, Kind, Plain, Problems, Text, Value, table, words};

impl Kind for ControllerId {
    const NAME: &'static str = "Controller";
    const EXPECTED: &'static str = "a controller such as \"A\"";
    const PATTERN: &'static str = "^[A-H]$";
}

impl Kind for PortId {
    const NAME: &'static str = "Port";
    const EXPECTED: &'static str = "a port such as \"A0\"";
    const PATTERN: &'static str = "^[A-H][0-9]$";
}

impl Kind for Sense {
    const NAME: &'static str = "Sense";
    const EXPECTED: &'static str = "sense data as key/code/qualifier in hex, such as \"06/2a/01\"";
    const PATTERN: &'static str = "^0?[0-9a-fA-F]/[0-9a-fA-F]{1,2}/[0-9a-fA-F]{1,2}$";
}

impl Kind for ControllerState {
    const NAME: &'static str = "ControllerState";
    const EXPECTED: &'static str =
        "a controller's state: online, quiescing, booting, upgrading, offline, failed or removed";
    const PATTERN: &'static str = "^(online|quiescing|booting|upgrading|offline|failed|removed)$";
}

/// A part of the SAN that can fail, as `fail` and `restore` name it: `controller A`, `array west`,
/// `witness`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    Controller(ControllerId),
    /// A whole array, by its name.
    Array(String),
    /// The witness of a metro cluster.
    Witness,
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_whitespace().collect::<Vec<_>>()[..] {
            ["controller", name] => name.parse().map(Part::Controller).map_err(|e| e.to_string()),
            ["array", _, ..] => text.parse().map(|WholeArray(name)| Part::Array(name)),
            ["witness"] => Ok(Part::Witness),
            [name] if name.parse::<ControllerId>().is_ok() => {
                Err(format!("write what {name} is: \"controller {name}\""))
            }
            _ => Err(format!("{text:?} is nothing that can fail: write {}", Self::EXPECTED)),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Controller(controller) => write!(f, "controller {controller}"),
            Part::Array(name) => write!(f, "array {name}"),
            Part::Witness => f.write_str("witness"),
        }
    }
}

impl Kind for Part {
    const NAME: &'static str = "Part";
    const EXPECTED: &'static str =
        "a controller such as \"controller A\", an array such as \"array west\", or \"witness\"";
    const PATTERN: &'static str = "^(controller [A-H]|array .+|witness)$";
}

/// A whole array, by its name: `array west`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WholeArray(pub(crate) String);

impl FromStr for WholeArray {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name =
            text.trim().strip_prefix("array ").map(str::trim).filter(|name| !name.is_empty());
        match name {
            Some(name) => Ok(WholeArray(name.to_owned())),
            None => Err(format!("{text:?} is no array: write {}", Self::EXPECTED)),
        }
    }
}

impl fmt::Display for WholeArray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "array {}", self.0)
    }
}

impl Kind for WholeArray {
    const NAME: &'static str = "WholeArray";
    const EXPECTED: &'static str = "an array such as \"array west\"";
    const PATTERN: &'static str = "^array .+$";
}

/// Controllers and their states: `A quiescing`, or several of them: `A failed, B booting`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ControllersAre(pub(crate) Vec<(ControllerId, ControllerState)>);

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
    const NAME: &'static str = "ControllersAre";
    const EXPECTED: &'static str = "a controller and a state such as \"A quiescing\"";
    const PATTERN: &'static str = "^[A-H] [a-z]+(, *[A-H] [a-z]+)*$";
}

impl Kind for OpMatcher {
    const NAME: &'static str = "Operation";
    const EXPECTED: &'static str = "an operation such as \"MODE SELECT\" or \"MODE SELECT(10)\", \"READ\", \"medium\" or \"any\"";
    const PATTERN: &'static str = "^.+$";
}

impl Kind for TmfMatcher {
    const NAME: &'static str = "TaskManagement";
    const EXPECTED: &'static str =
        "a task management function such as \"ABORT TASK\" or \"LOGICAL UNIT RESET\", or \"any\"";
    const PATTERN: &'static str = "^.+$";
}

/// A range of numbers, both ends included: `2..5`; `3..` has no upper end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NumberRange(pub(crate) RangeInclusive<u64>);

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
    const NAME: &'static str = "Range";
    const EXPECTED: &'static str = "a range such as \"2..5\" (both included) or \"3..\" (no end)";
    const PATTERN: &'static str = r"^[0-9]+\.\.([0-9]+)?$";
}

impl Kind for PathPattern {
    const NAME: &'static str = "Path";
    const EXPECTED: &'static str =
        "a path such as \"A0\" or \"hba0:A0\" or { hba = 0, port = \"A0\" }";
    const PATTERN: &'static str = "^(hba[0-9]+:)?[A-H][0-9]$";
}

/// All paths of a map, or the paths that match a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AllOrPath(pub(crate) Reinstate);

impl Kind for AllOrPath {
    const NAME: &'static str = "AllOrPath";
    const EXPECTED: &'static str =
        "\"all\" or a path such as \"A0\" or \"hba0:A0\" or { hba = 0, port = \"A0\" }";
    const PATTERN: &'static str = "^(all|(hba[0-9]+:)?[A-H][0-9])$";
}

impl From<PathPattern> for AllOrPath {
    fn from(pattern: PathPattern) -> Self {
        AllOrPath(Reinstate::Paths(pattern))
    }
}

impl FromStr for AllOrPath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => Ok(AllOrPath(Reinstate::All)),
            _ => text.parse::<PathPattern>().map(AllOrPath::from),
        }
    }
}

impl fmt::Display for AllOrPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One or several paths: a port, an HBA and a port, or a table with both.
pub(crate) type PathName = TextOrPath<PathPattern>;

/// Like [`PathName`], or `all` for every path.
pub(crate) type PathsName = TextOrPath<AllOrPath>;

/// A value that is written as a string or as a table with `port` and optionally `hba`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TextOrPath<T>(pub(crate) T);

table! {
    /// A port, and the HBA if only one HBA is meant.
    struct HbaAndPort, "a table such as { hba = 0, port = \"A0\" }" {
        /// The HBA number, from 0. Default: every HBA that sees the port.
        hba: Option<u64>,
        /// The target port.
        port: Text<PortId>,
    }
}

impl<T: Kind + From<PathPattern>> Value for TextOrPath<T> {
    fn read(given: &Given<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        match given.get_ref() {
            DeValue::Table(_) => {
                let table = HbaAndPort::read(given, problems)?;
                // No HBA has a number this high; the look-up reports that.
                let hba = table.hba.map(|hba| HbaId(u8::try_from(hba).unwrap_or(u8::MAX)));
                Some(TextOrPath(PathPattern { hba, port: table.port.0 }.into()))
            }
            _ => Text::read(given, problems).map(|text| TextOrPath(text.0)),
        }
    }

    fn write(&self) -> Plain {
        Plain::Text(self.0.to_string())
    }

    fn form() -> Form {
        let text =
            Form::Pattern { name: T::NAME, expected: T::EXPECTED, pattern: T::PATTERN.into() };
        Form::Either(vec![text, HbaAndPort::form()])
    }
}

impl Kind for AccessState {
    const NAME: &'static str = "AccessState";
    const EXPECTED: &'static str = "an access state: active/optimized, active/non-optimized, standby, \
                                    unavailable, lba-dependent, offline or transitioning";
    const PATTERN: &'static str = "^(active/optimized|active/non-optimized|standby|unavailable|lba-dependent|offline|transitioning)$";
}

impl Kind for LunCondition {
    const NAME: &'static str = "LunCondition";
    const EXPECTED: &'static str = "a condition: none, array-copy or inactive-snapshot";
    const PATTERN: &'static str = "^(none|array-copy|inactive-snapshot)$";
}

/// A captured answer: INQUIRY data, or that to REPORT TARGET PORT GROUPS, `rtpg`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CapturedName {
    Inquiry(InquiryPage),
    PortGroups,
}

impl Kind for CapturedName {
    const NAME: &'static str = "CapturedPage";
    const EXPECTED: &'static str =
        "\"standard\", the code of a VPD page such as \"c9\", or \"rtpg\"";
    const PATTERN: &'static str = "^(standard|rtpg|[0-9a-fA-F]{2})$";
}

impl FromStr for CapturedName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "rtpg" => Ok(CapturedName::PortGroups),
            page => match page.parse() {
                Ok(PageName(page)) => Ok(CapturedName::Inquiry(page)),
                Err(_) => Err(format!("{text:?} is no page: write {}", Self::EXPECTED)),
            },
        }
    }
}

impl fmt::Display for CapturedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CapturedName::Inquiry(page) => PageName(*page).fmt(f),
            CapturedName::PortGroups => f.write_str("rtpg"),
        }
    }
}

/// A company identifier (OUI): `006016`, `00:60:16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Oui(pub(crate) [u8; 3]);

impl Kind for Oui {
    const NAME: &'static str = "Oui";
    const EXPECTED: &'static str = "a company identifier such as \"00:60:16\"";
    const PATTERN: &'static str = "^[0-9a-fA-F]{2}[:-]?[0-9a-fA-F]{2}[:-]?[0-9a-fA-F]{2}$";
}

impl FromStr for Oui {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits: String = text.chars().filter(|c| !matches!(c, ':' | '-')).collect();
        let whole = digits.len() == 6 && digits.chars().all(|c| c.is_ascii_hexdigit());
        match u32::from_str_radix(&digits, 16).ok().filter(|_| whole) {
            Some(oui) => {
                let [_, a, b, c] = oui.to_be_bytes();
                Ok(Oui([a, b, c]))
            }
            None => Err(format!("{text:?} is no company identifier: write {}", Self::EXPECTED)),
        }
    }
}

impl fmt::Display for Oui {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}")
    }
}

/// The world-wide name of a LUN: an NAA type 6 designator, as multipath-tools show it (`3600…`), or without
/// the 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wwid(pub(crate) [u8; 16]);

impl Kind for Wwid {
    const NAME: &'static str = "Wwid";
    const EXPECTED: &'static str =
        "a world-wide name such as \"3600140500000000000000000000000aa\", of NAA type 6";
    const PATTERN: &'static str = "^3?6[0-9a-fA-F]{31}$";
}

impl FromStr for Wwid {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = if text.len() == 33 { text.strip_prefix('3') } else { Some(text) };
        let bytes = digits.filter(|it| it.len() == 32 && it.starts_with('6') && it.is_ascii());
        let bytes = bytes.and_then(|digits| u128::from_str_radix(digits, 16).ok());
        match bytes {
            Some(bytes) => Ok(Wwid(bytes.to_be_bytes())),
            None => Err(format!("{text:?} is no name of a LUN: write {}", Self::EXPECTED)),
        }
    }
}

impl fmt::Display for Wwid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "3{:032x}", u128::from_be_bytes(self.0))
    }
}

/// An INQUIRY page: `standard`, or the code of a VPD page in hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PageName(pub(crate) InquiryPage);

impl Kind for PageName {
    const NAME: &'static str = "Page";
    const EXPECTED: &'static str = "\"standard\" or the code of a VPD page such as \"c9\"";
    const PATTERN: &'static str = "^(standard|[0-9a-fA-F]{2})$";
}

impl FromStr for PageName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let code = || (text.len() == 2).then(|| u8::from_str_radix(text, 16).ok())?;
        match text {
            "standard" => Ok(PageName(InquiryPage::Standard)),
            _ => code().map(|code| PageName(InquiryPage::Vpd(code))).ok_or_else(|| {
                format!("{text:?} is no page: write {}", <PageName as Kind>::EXPECTED)
            }),
        }
    }
}

impl fmt::Display for PageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            InquiryPage::Standard => f.write_str("standard"),
            InquiryPage::Vpd(code) => write!(f, "{code:02x}"),
        }
    }
}

words! {
    /// A part of the run.
    pub(crate) enum StageName {
        /// The guest scans for its disks and builds its maps.
        Discovery = "discovery",
        /// The story, from time zero.
        Story = "story",
        /// Both parts.
        Any = "any",
    }
}

impl StageName {
    /// The selected stage: the story by default, `None` for any stage.
    pub(crate) fn meant(given: Option<StageName>) -> Option<Stage> {
        match given {
            None | Some(StageName::Story) => Some(Stage::Story),
            Some(StageName::Discovery) => Some(Stage::Discovery),
            Some(StageName::Any) => None,
        }
    }

    /// The word for `stage`.
    pub(crate) fn of(stage: Option<Stage>) -> Self {
        match stage {
            Some(Stage::Story) => StageName::Story,
            Some(Stage::Discovery) => StageName::Discovery,
            None => StageName::Any,
        }
    }
}
