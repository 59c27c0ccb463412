//! `[[array.captured]]`: INQUIRY data from a real array.

use std::{borrow::Cow, fmt, str::FromStr};

use sansim_array::{ControllerId, InquiryPage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Name;
use crate::lang::value::{At, Kind};

/// A page of INQUIRY data that was captured from a real array, and is told instead of the
/// personality's.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { page = \"c9\", file = \"c9.hex\" }")]
pub struct Captured {
    /// Which: "standard", or the code of a VPD page in hexadecimal, such as "c9".
    pub page: Name<PageName>,
    /// The whole page in hexadecimal, as `sg_inq --hex` and `sg_vpd --hex` print it; offsets and text
    /// beside it are skipped.
    pub hex: Option<At<String>>,
    /// A file with that instead, beside the scenario.
    pub file: Option<At<String>>,
    /// The controller that tells it. Default: all.
    pub controller: Option<Name<ControllerId>>,
    /// The LUN it is told of. Default: all.
    pub lun: Option<At<u64>>,
    /// Whether even the bits stay as captured that say which LUN it is, which controller tells it and
    /// who owns the LUN. Default: false.
    pub frozen: Option<bool>,
    /// Whether it is told although a kernel would come to grief over it. Default: false.
    pub force: Option<bool>,
}

/// The name of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageName(pub InquiryPage);

impl Kind for PageName {
    const EXPECTED: &'static str = "\"standard\" or the code of a VPD page such as \"c9\"";
    const PATTERN: &'static str = "^(standard|[0-9a-fA-F]{2})$";

    fn schema_name() -> Cow<'static, str> {
        "Page".into()
    }
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
