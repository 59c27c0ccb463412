//! Passes the output of terminals on to those who show them, without ever waiting for them.

use std::collections::BTreeMap;

use sansim_protocol::TerminalSize;
use sansim_run::{RunError, Terminal as StageTerminal};
use sansim_stage::StageError;
use tokio::sync::{mpsc, oneshot};

use super::running::Running;
use crate::{
    api::{Refused, Terminal, Why},
    handle::Answer,
};

/// The pieces of input that may wait.
const INPUT: usize = 64;
/// The pieces of output that may wait for the client, of up to 4 KiB each. A client that is further
/// behind loses the terminal.
const BEHIND: usize = 1024;
/// The most terminals at once.
const MOST: usize = 16;

/// The terminals that are open, by the agent's number: whom to tell of their end.
#[derive(Default)]
pub(super) struct Pumps {
    open: BTreeMap<u32, oneshot::Sender<Option<i32>>>,
    /// Whether anybody has used the guest in ways that are no acts of the story.
    pub(super) used: bool,
}

impl Pumps {
    /// The program in a terminal has ended.
    pub(super) fn ended(&mut self, terminal: u32, code: Option<i32>) {
        if let Some(ended) = self.open.remove(&terminal) {
            let _ = ended.send(code);
        }
    }
}

impl Running<'_> {
    /// Opens a terminal with a program, or with the shell.
    pub(super) async fn open(
        &mut self,
        argv: Vec<String>,
        term: String,
        size: TerminalSize,
        answer: Answer<Terminal>,
    ) -> Result<(), RunError> {
        let ready = self.must_run().and_then(|()| match self.pumps.open.len() < MOST {
            true => Ok(()),
            false => {
                let why = format!("{MOST} terminals are open already");
                Err(Refused::new(Why::Conflict, why))
            }
        });
        if let Err(refused) = ready {
            let _ = answer.send(Err(refused));
            return Ok(());
        }
        let argv = if argv.is_empty() { shell(&term) } else { argv };
        let (typed, input) = mpsc::channel(INPUT);
        let (output, shown) = mpsc::channel(INPUT);
        let terminal = StageTerminal { argv, term, size, input, output };
        match self.stage.connect(terminal).await {
            Ok(number) => {
                let (told, ended) = oneshot::channel();
                self.pumps.open.insert(number, told);
                self.pumps.used = true;
                let (behind, output) = mpsc::channel(BEHIND);
                tokio::spawn(pump(shown, behind));
                let _ = answer.send(Ok(Terminal { input: typed, output, ended }));
                Ok(())
            }
            Err(StageError::Lab(sansim_lab::LabError::AgentFailed { why, .. })) => {
                let _ = answer.send(Err(Refused::new(Why::Invalid, why)));
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// The shell of the userland. What is typed ahead into a terminal that is none, with its end, must not be
/// edited.
fn shell(term: &str) -> Vec<String> {
    let options: &[&str] = if term == "dumb" { &["--noediting"] } else { &[] };
    ["bash", "--norc"].iter().chain(options).map(|&word| word.to_owned()).collect()
}

/// Passes output on until either end is gone, or the client is too far behind.
async fn pump(mut shown: mpsc::Receiver<Vec<u8>>, client: mpsc::Sender<Vec<u8>>) {
    while let Some(bytes) = shown.recv().await {
        if client.try_send(bytes).is_err() {
            return;
        }
    }
}
