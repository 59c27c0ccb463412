//! `notice`: how hosts hear of a change of a volume. It goes with every step that makes one.

use sansim_array::{
    Action, ControllerId, Notification, Notifications, PortId, Sense, VolumeChange,
};
use toml::de::DeValue;

use crate::{
    check::Checker,
    form::{Form, Given, Name, Plain, Problems, Value, WordForm, name, table},
    nexuses::To,
    value::At,
};

table! {
    /// A notice of a change, and who gets it. Without `event` and `sense` it says nothing.
    pub(crate) struct NoticeTable, "\"none\" or a table such as { event = true, sense = \"06/3f/0e\" }" {
        /// Whether the HBA sends an event to the guest. Default: false, so that the guest keeps its
        /// disks as they are.
        event: Option<bool>,
        /// The unit attention that is queued, as key, ASC and ASCQ; the sense key must be 06. "06/3f/0e"
        /// is reported by every LUN, any other by the LUN that has changed. Default: none.
        sense: Option<Name<Sense>>,
        /// The HBA that gets the notice. Default: all.
        hba: Option<At<u64>>,
        /// The controller through which the notice comes. Default: all.
        controller: Option<Name<ControllerId>>,
        /// The port through which the notice comes. Default: all.
        port: Option<Name<PortId>>,
    }
}

/// The value of `notice`.
#[derive(Debug, Clone)]
pub(crate) struct Notice(Vec<At<NoticeTable>>);

const NONE: &str = "none";
const EXPECTED: &str = "\"none\", a notice such as { sense = \"06/3f/0e\" }, or a list of notices";

impl Value for Notice {
    fn read(given: &Given<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        match given.get_ref() {
            DeValue::String(text) if text == NONE => Some(Notice(Vec::new())),
            DeValue::Table(_) => Some(Notice(vec![At::read(given, problems)?])),
            DeValue::Array(_) => Vec::read(given, problems).map(Notice),
            _ => {
                problems.wrong_type(given, EXPECTED);
                None
            }
        }
    }

    fn write(&self) -> Plain {
        match &self.0[..] {
            [] => Plain::Text(NONE.to_owned()),
            [one] => one.write(),
            several => Plain::List(several.iter().map(Value::write).collect()),
        }
    }

    fn form() -> Form {
        let about = "No host hears of the change.";
        let none = Form::Words {
            name: "NoNotice",
            about: "A change without notice.",
            words: vec![WordForm { word: NONE, about }],
        };
        let table = <NoticeTable as Value>::form();
        Form::Either(vec![none, table.clone(), Form::List(Box::new(table))])
    }
}

impl Notice {
    fn check(&self, checker: &mut Checker<'_>) -> Notifications {
        Notifications::Chosen(self.0.iter().map(|one| one.check(checker)).collect())
    }

    fn of(notify: &Notifications) -> Option<Self> {
        let Notifications::Chosen(chosen) = notify else { return None };
        Some(Notice(chosen.iter().map(|one| At::nowhere(NoticeTable::of(one))).collect()))
    }
}

impl At<NoticeTable> {
    fn check(&self, checker: &mut Checker<'_>) -> Notification {
        let event = self.event.unwrap_or(false);
        let sense = self.sense.as_ref().map(|sense| checker.unit_attention(sense));
        if sense.is_none() && !event {
            let help = "write event = true, sense = …, or notice = \"none\"";
            checker.refuse(&self.span, "this notice says nothing", help);
        }
        let to = checker.nexuses(
            self.hba.as_ref(),
            self.controller.as_ref(),
            self.port.as_ref(),
            &self.span,
        );
        Notification { to, event, sense }
    }
}

impl NoticeTable {
    fn of(one: &Notification) -> Self {
        let To { hba, controller, port } = To::of(one.to);
        let event = Some(one.event);
        NoticeTable { event, sense: one.sense.map(name), hba, controller, port }
    }
}

/// A change with its notice, or with the usual one.
pub(super) fn action(
    change: VolumeChange,
    notice: Option<&Notice>,
    checker: &mut Checker<'_>,
) -> Action {
    let notify = notice.map_or(Notifications::Usual, |notice| notice.check(checker));
    Action::Volume { change, notify }
}

/// The change of an action, and the notice that would be read as its notifications.
pub(super) fn parts(action: &Action) -> Option<(&VolumeChange, Option<Notice>)> {
    let Action::Volume { change, notify } = action else { return None };
    Some((change, Notice::of(notify)))
}

/// The words for a change, with those for its notice.
pub(super) fn words(
    action: &Action,
    change: impl FnOnce(&VolumeChange) -> Option<String>,
) -> Option<String> {
    let Action::Volume { change: of, notify } = action else { return None };
    let words = change(of)?;
    let Notifications::Chosen(chosen) = notify else { return Some(words) };
    if chosen.is_empty() {
        return Some(words + ", without notice");
    }
    let one = |one: &Notification| {
        let event = one.event.then(|| "an event".to_owned());
        let what = event.into_iter().chain(one.sense.map(|sense| sense.to_string()));
        format!("{} for {}", what.collect::<Vec<_>>().join(" and "), one.to)
    };
    Some(format!("{words}, with {}", chosen.iter().map(one).collect::<Vec<_>>().join("; ")))
}
