//! `sansim model`: the array models that a scenario can name.

use sansim_language::model::{description, models};

use crate::{PASS, USAGE, args::ModelCommand, show};

pub(crate) fn model(command: &ModelCommand) -> u8 {
    match command {
        ModelCommand::List => {
            for (name, text) in models() {
                outln!("{name:<20} {}", description(text));
            }
            PASS
        }
        ModelCommand::Show { name } => match models().find(|(known, _)| known == name) {
            Some((_, text)) => {
                out!("{text}");
                PASS
            }
            None => {
                show::error(&format!("there is no model `{name}`; see `sansim model list`"));
                USAGE
            }
        },
    }
}
