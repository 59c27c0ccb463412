//! `event`: the HBAs send an event about a LUN.

use sansim_array::{Action, ControllerId, LunEvent, PortId, Sense};

use super::ArrayWord;
use crate::{
    check::Checker,
    form::{Name, name, table, words},
    nexuses::To,
    value::At,
};

table! {
    /// Has the HBAs send an event about a LUN to the guest. Nothing of the LUN changes.
    pub(crate) struct Event, "a step" {
        /// Has the HBAs send an event about a LUN to the guest. Nothing of the LUN changes.
        pub(super) event: At<EventTable>,
    }
}

table! {
    /// An event about a LUN, and the paths that it is about.
    pub(super) struct EventTable, "a table such as { lun = 0, tells = \"removed\" }" {
        /// The LUN, by its own number. It need not be mapped any more.
        lun: At<u64>,
        /// What the event tells.
        tells: Tells,
        /// For "changed": which parameters, as the sense that a unit attention would have. Default:
        /// "06/2a/09", the capacity.
        sense: Option<Name<Sense>>,
        /// The HBA that sends the event. Default: all.
        hba: Option<At<u64>>,
        /// The controller behind which the LUN is. Default: all.
        controller: Option<Name<ControllerId>>,
        /// The port behind which the LUN is. Default: all.
        port: Option<Name<PortId>>,
    }
}

words! {
    /// What an event tells of a LUN.
    enum Tells {
        /// The LUN is there: the guest looks for it.
        Added = "added",
        /// The LUN is gone: the guest removes its disk.
        Removed = "removed",
        /// Its parameters have changed: the guest reads them again.
        Changed = "changed",
    }
}

/// CAPACITY DATA HAS CHANGED.
const CAPACITY: Sense = Sense::new(0x06, 0x2a, 0x09);

impl ArrayWord for Event {
    const EXAMPLE: &'static str = r#"event = { lun = 0, tells = "removed" }"#;

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        let EventTable { lun, tells, sense, hba, controller, port } = &self.event.value;
        let span = &self.event.span;
        let to = checker.nexuses(hba.as_ref(), controller.as_ref(), port.as_ref(), span);
        let event = match (tells, sense) {
            (Tells::Changed, None) => LunEvent::Changed(CAPACITY),
            (Tells::Changed, Some(sense)) => LunEvent::Changed(checker.unit_attention(sense)),
            (tells, sense) => {
                if let Some(sense) = sense {
                    let problem = "`sense` goes with tells = \"changed\"";
                    checker.refuse(&sense.span, problem, "remove it");
                }
                if *tells == Tells::Added { LunEvent::Added } else { LunEvent::Removed }
            }
        };
        Action::Event { to, lun: checker.lun(lun), event }
    }

    fn of(action: &Action) -> Option<Self> {
        let Action::Event { to, lun, event } = *action else { return None };
        let (tells, sense) = match event {
            LunEvent::Added => (Tells::Added, None),
            LunEvent::Removed => (Tells::Removed, None),
            LunEvent::Changed(sense) => (Tells::Changed, Some(name(sense))),
        };
        let To { hba, controller, port } = To::of(to);
        let event = EventTable { lun: lun.into(), tells, sense, hba, controller, port };
        Some(Event { event: At::nowhere(event) })
    }

    fn words(action: &Action) -> Option<String> {
        let Action::Event { to, lun, event } = action else { return None };
        let tells = match event {
            LunEvent::Added => "is there".to_owned(),
            LunEvent::Removed => "is gone".to_owned(),
            LunEvent::Changed(sense) => format!("has changed ({sense})"),
        };
        Some(format!("an event tells {to} that LUN {lun} {tells}"))
    }
}
