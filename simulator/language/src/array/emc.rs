//! `[array.emc]`: what is particular to the personality `emc`.

use sansim_array::{EmcConfig, FailoverMode, InquiryForm, PersonalityConfig};

use super::family::Family;
use crate::{
    Diagnostic,
    check::Checker,
    form::{table, words},
    value::At,
};

table! {
    /// What is particular to the personality `emc`.
    pub(super) struct Emc, "a table" {
        /// What is particular to the personality `emc`.
        emc: Option<At<EmcTable>>,
    }
}

table! {
    /// What is particular to the personality `emc`.
    struct EmcTable, "a table" {
        /// How a passive path behaves. Default: "linux".
        failover_mode: Option<FailoverModeName>,
        /// The model in the INQUIRY data, 1 to 16 characters. Of one that begins with "FC" the guest
        /// concludes that it must send short trespasses. Default: "CX3-40f".
        model: Option<At<String>>,
        /// Whether the INQUIRY data has 36 bytes, without a model. Default: false.
        short_inquiry: Option<At<bool>>,
        /// The version in the INQUIRY data, 2 to 6. Below 4 a guest does not ask `DGC RAID` for VPD pages.
        /// Default: 4.
        inquiry_version: Option<At<u64>>,
    }
}

words! {
    /// How storage processors share a LUN; in VPD page C0h it is a number.
    enum FailoverModeName for FailoverMode {
        /// 1: the passive path is not ready.
        PassiveNotReady = "passive-not-ready",
        /// 2: I/O on the passive path moves the LUN there unasked.
        AutoTrespass = "auto-trespass",
        /// 3: the passive path says that it is ready, and refuses I/O.
        PassiveAlwaysReady = "passive-always-ready",
        /// 4: what Linux wants; the passive path is not ready.
        Linux = "linux",
        /// 6: what arrays with ALUA say; otherwise as "linux".
        Alua = "alua",
    }
}

impl Family for Emc {
    const NAME: &'static str = "emc";
    const ABOUT: &'static str = "EMC CLARiiON and VNX, which are told by a trespass.";

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
    /// What INQUIRY data looks like, if anything is said about it.
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
