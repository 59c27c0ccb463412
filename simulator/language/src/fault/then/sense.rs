//! `sense`: a command is answered with CHECK CONDITION.

use sansim_array::{Answer, Sense as Code, SenseForm};

use super::{EffectWord, Effects, Sort};
use crate::{
    check::Checker,
    form::{Name, name, table, words},
    value::At,
};

table! {
    /// A command is answered with CHECK CONDITION.
    pub(super) struct Sense, "`sense`" {
        /// It is answered with CHECK CONDITION and this sense.
        sense: Name<Code>,
        /// The form of that sense. Default: "fixed".
        sense_form: Option<At<SenseFormName>>,
    }
}

words! {
    /// How sense data is laid out.
    enum SenseFormName for SenseForm {
        /// Fixed format.
        Fixed = "fixed",
        /// Descriptor format.
        Descriptor = "descriptor",
        /// Fixed format, of an earlier command.
        DeferredFixed = "deferred-fixed",
        /// Descriptor format, of an earlier command.
        DeferredDescriptor = "deferred-descriptor",
        /// Fixed format with an additional length of 0: a guest sees neither code nor qualifier.
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
