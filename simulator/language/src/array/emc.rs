//! `[array.emc]`: settings of the personality `emc`.

use sansim_array::{EmcConfig, FailoverMode, InquiryForm, PersonalityConfig};

use super::family::Family;
use crate::{
    Diagnostic,
    check::Checker,
    form::{table, words},
    value::At,
};

table! {
    /// Settings of the personality `emc`.
    pub(super) struct Emc, "a table" {
        /// Settings of the personality `emc`.
        emc: Option<At<EmcTable>>,
    }
}

table! {
    /// Settings of the personality `emc`.
    struct EmcTable, "a table" {
        /// How a passive path behaves. Default: "linux".
        failover_mode: Option<FailoverModeName>,
        /// The model in the INQUIRY data, 1 to 16 characters. If it begins with "FC", the guest
        /// sends short trespass commands. Default: "CX3-40f".
        model: Option<At<String>>,
        /// Whether the standard INQUIRY data is only 36 bytes long, so that it has no model.
        /// Default: false.
        short_inquiry: Option<At<bool>>,
        /// The VERSION field of the INQUIRY data, 2 to 6. Below 4, a guest does not request VPD
        /// pages from `DGC RAID`. Default: 4.
        inquiry_version: Option<At<u64>>,
    }
}

words! {
    /// How the storage processors share a LUN (the failover mode); VPD page C0h reports its number.
    enum FailoverModeName for FailoverMode {
        /// 1: the passive path reports not ready.
        PassiveNotReady = "passive-not-ready",
        /// 2: I/O on the passive path moves the LUN to it.
        AutoTrespass = "auto-trespass",
        /// 3: the passive path reports that it is ready, but refuses I/O.
        PassiveAlwaysReady = "passive-always-ready",
        /// 4: the mode for Linux hosts; the passive path reports not ready.
        Linux = "linux",
        /// 6: the mode of arrays with ALUA; otherwise like "linux".
        Alua = "alua",
    }
}

impl Family for Emc {
    const NAME: &'static str = "emc";
    const ABOUT: &'static str =
        "EMC CLARiiON and VNX, switched by a trespass (MODE SELECT of page 22h).";

    fn check(&self, checker: &mut Checker<'_>) -> PersonalityConfig {
        let default = EmcConfig::default();
        let Some(table) = &self.emc else { return PersonalityConfig::Emc(default) };
        let inquiry = table.inquiry(checker).unwrap_or(default.inquiry);
        let version =
            checker.number(table.inquiry_version.as_ref(), 2..=6, 4, "`inquiry_version`") as u8;
        let failover_mode = table.failover_mode.map_or(default.failover_mode, Into::into);
        PersonalityConfig::Emc(EmcConfig { failover_mode, inquiry, version })
    }

    fn of(personality: &PersonalityConfig) -> Option<Self> {
        let PersonalityConfig::Emc(config) = personality else { return None };
        let (model, short_inquiry) = match &config.inquiry {
            InquiryForm::Short => (None, Some(At::nowhere(true))),
            InquiryForm::Model(model) => (Some(At::nowhere(model.clone())), None),
        };
        let table = EmcTable {
            failover_mode: Some(config.failover_mode.into()),
            model,
            short_inquiry,
            inquiry_version: Some(At::nowhere(config.version.into())),
        };
        Some(Emc { emc: Some(At::nowhere(table)) })
    }
}

impl EmcTable {
    /// The form of the INQUIRY data, or `None` if no key sets it.
    fn inquiry(&self, checker: &mut Checker<'_>) -> Option<InquiryForm> {
        let short = self.short_inquiry.as_ref().is_some_and(|short| short.value);
        let Some(model) = &self.model else { return short.then_some(InquiryForm::Short) };
        if short {
            let help = "remove it, or `short_inquiry`";
            checker.refuse(&model.span, "36 bytes of INQUIRY data have no model", help);
            return None;
        }
        let printable = model.chars().all(|c| (' '..='~').contains(&c));
        if !printable || !(1..=16).contains(&model.len()) {
            let problem = "a model is 1 to 16 printable ASCII characters";
            checker.report(&model.span, Diagnostic::error(problem));
        }
        Some(InquiryForm::Model(model.value.clone()))
    }
}
