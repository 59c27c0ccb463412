//! `sansim ctl shell`: a program in the guest, at this terminal.

use sansim_live::client::Client;

use super::{failed::Failed, said::exit_code};
use crate::{
    PASS,
    tty::{self, Ends},
};

/// Connects this terminal to a program in the guest, or to a shell; the exit code is the program's.
pub(super) async fn shell(lab: &Client, argv: &[String]) -> Result<u8, Failed> {
    // While the lab refuses, the terminal is still the user's.
    lab.status().await?;
    let (Ends { input, output, term, size, .. }, taken) = tty::take();
    let ended = lab.terminal(argv, &term, size, input, output).await;
    taken.leave();
    Ok(ended?.map_or(PASS, exit_code))
}
