//! `sense`: a command gets CHECK CONDITION with sense data.

use sansim_array::{Answer, Sense as Code, SenseForm};

use super::{EffectWord, Effects, Sort};
use crate::{
    check::Checker,
    form::{Name, name, table, words},
    value::At,
};

table! {
    /// A command gets CHECK CONDITION with sense data.
    pub(super) struct Sense, "`sense`" {
        /// Completes the command with CHECK CONDITION and this sense (sense key, ASC and ASCQ). With sense key 1
        /// (RECOVERED ERROR), the command is carried out, and this takes the place of GOOD.
        sense: Name<Code>,
        /// The format of the sense data. Default: "fixed".
        sense_form: Option<At<SenseFormName>>,
    }
}

words! {
    /// The format of the sense data.
    enum SenseFormName for SenseForm {
        /// Fixed format, response code 70h.
        Fixed = "fixed",
        /// Descriptor format, response code 72h.
        Descriptor = "descriptor",
        /// Fixed format for a deferred error, response code 71h.
        DeferredFixed = "deferred-fixed",
        /// Descriptor format for a deferred error, response code 73h.
        DeferredDescriptor = "deferred-descriptor",
        /// Fixed format with an additional length of 0, so that a guest gets neither ASC nor ASCQ.
        NoLength = "no-length",
    }
}

impl EffectWord for Sense {
    const EXAMPLE: &'static str = r#"sense = "06/2a/01""#;
    const SORT: Sort = Sort::Answer;

    fn add(&self, effects: &mut Effects, _: &mut Checker<'_>) {
        let form = self.sense_form.as_ref().map(|form| form.value.into()).unwrap_or_default();
        effects.answer.get_or_insert(Answer::Sense(self.sense.0.with_form(form)));
    }

    fn of(effects: &Effects) -> Option<Self> {
        let Some(Answer::Sense(sense)) = effects.answer else { return None };
        let form = Some(sense.form()).filter(|form| *form != SenseForm::default());
        let sense_form = form.map(|form| At::nowhere(form.into()));
        Some(Sense { sense: name(sense), sense_form })
    }
}
