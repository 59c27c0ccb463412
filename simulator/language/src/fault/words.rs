//! A fault rule in words.

use sansim_array::{
    Answer, Corruption, DataFault, Delay, Effect, Fate, FaultRule, FunctionFate, InquiryPage, Lose,
    Matches, Stage, Wait, When,
};
use sansim_stage::Act;

use crate::{
    StepAction, step,
    value::{Size, TimeSpan},
};

/// What a rule does, in words: `the first 2 MODE SELECT to controller B: sense 06/2a/01`.
pub(crate) fn words(rule: &FaultRule) -> String {
    let (what, action, fate) = match &rule.effect {
        Effect::OnCommands { which, then } => {
            let mut what = which.op.map_or("commands".to_owned(), |op| op.to_string());
            match which.page {
                Some(InquiryPage::Standard) => what.push_str(" for standard data"),
                Some(InquiryPage::Vpd(code)) => what.push_str(&format!(" for page {code:02x}")),
                None => {}
            }
            if let Some(blocks) = &which.blocks {
                what.push_str(&format!(" of blocks {} to {}", blocks.start(), blocks.end()));
            }
            (what, &then.action, of_command(&then.fate))
        }
        Effect::OnFunctions { which, then } => {
            (format!("task management {which}"), &then.action, of_function(then.fate))
        }
    };
    let action = action.as_deref().cloned();
    let action = action.map(|action| step::words(&StepAction::Act(Act::Array(action))));
    let effects: Vec<_> = action.into_iter().chain(fate).collect();
    format!("{}{what}{}: {}", which(&rule.when.matches), of(&rule.when), effects.join(", "))
}

/// Which of the commands.
fn which(matches: &Matches) -> String {
    match matches {
        Matches::All => String::new(),
        Matches::First(1) => "the first ".to_owned(),
        Matches::First(count) => format!("the first {count} "),
        Matches::Nth(number) => format!("number {number} of "),
        Matches::Range(range) if *range.end() == u64::MAX => {
            format!("from number {} on, ", range.start())
        }
        Matches::Range(range) => format!("numbers {} to {} of ", range.start(), range.end()),
        Matches::Every(1) => String::new(),
        Matches::Every(count) => format!("one in {count} "),
    }
}

/// The conditions, after the commands.
fn of(when: &When) -> String {
    let seconds = |time| TimeSpan(time).to_string();
    let parts = [
        when.lun.map(|lun| format!("for LUN {lun}")),
        when.hba.map(|hba| format!("from {hba}")),
        when.controller.map(|controller| format!("to controller {controller}")),
        when.port.map(|port| format!("to port {port}")),
        match when.stage {
            Some(Stage::Story) => None,
            Some(Stage::Discovery) => Some("during discovery".to_owned()),
            None => Some("in the whole run".to_owned()),
        },
        when.from.map(|time| format!("from {}", seconds(time))),
        when.until.map(|time| format!("until {}", seconds(time))),
        when.owner.map(|owner| format!("while controller {owner} owns the LUN")),
        when.chance.map(|chance| format!("with a chance of {}", chance.probability())),
    ];
    let states = when.states.iter();
    let states =
        states.map(|(controller, state)| format!("while controller {controller} is {state}"));
    parts.into_iter().flatten().chain(states).map(|part| format!(" {part}")).collect()
}

/// What happens to a command.
fn of_command(fate: &Fate) -> Vec<String> {
    match fate {
        Fate::CarriedOut { wait, data } => [of_wait(wait), of_data(data)].concat(),
        Fate::Answered { wait, answer } => {
            let mut words = of_wait(wait);
            words.push(match answer {
                Answer::Sense(sense) => format!("sense {sense}"),
                Answer::Status(status) => format!("status {status}"),
                Answer::Response(response) => format!("response {response}"),
            });
            words
        }
        Fate::Lost(Lose::Command) => vec!["lost".to_owned()],
        Fate::Lost(Lose::Reply) => vec!["reply lost".to_owned()],
        Fate::Lost(Lose::Forever) => vec!["lost, and never times out".to_owned()],
    }
}

fn of_wait(wait: &Wait) -> Vec<String> {
    let delay = wait.delay.map(|delay| match delay {
        Delay::Fixed(time) => format!("delayed by {}", TimeSpan(time)),
        Delay::Between(from, to) => format!("delayed by {} to {}", TimeSpan(from), TimeSpan(to)),
        Delay::Exponential(mean) => format!("delayed by {} on average", TimeSpan(mean)),
    });
    let hold = wait.hold.as_ref().map(|hold| format!("held as {hold:?}"));
    delay.into_iter().chain(hold).collect()
}

fn of_data(data: &DataFault) -> Vec<String> {
    let short = data.short.map(|bytes| format!("only {} arrive", Size(bytes.into())));
    let corrupt = data.corrupt.map(|how| match how {
        Corruption::BitFlip => "a bit flips",
        Corruption::DroppedWrite => "nothing is written",
        Corruption::MisdirectedWrite => "other blocks are written",
        Corruption::StaleRead => "old data is read",
        Corruption::TornWrite => "only the first blocks are written",
    });
    let corrupt = corrupt.map(str::to_owned);
    short.into_iter().chain(corrupt).collect()
}

/// What happens to a task management function.
fn of_function(fate: FunctionFate) -> Vec<String> {
    match fate {
        FunctionFate::CarriedOut => Vec::new(),
        FunctionFate::Answered(response) => vec![format!("answered {response}")],
        FunctionFate::Lost => vec!["lost".to_owned()],
    }
}
