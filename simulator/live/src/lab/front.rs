//! Answers while a lab starts, when there is no stage yet.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use sansim_array::ArrayView;
use sansim_run::RunSpec;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken as Cancel;

use super::picture;
use crate::{
    api::{Clock, LabStatus, Message, Refused, RunState, Status, Why},
    handle::{Ask, Desk},
    news::News,
};

/// Holds the desk of a lab until its stage is open.
pub(super) struct Front {
    desk: tokio::sync::Mutex<Option<Desk>>,
    news: News,
    lab: LabStatus,
    view: ArrayView,
    setup: sansim_stage::Setup,
    mode: String,
    doing: Mutex<String>,
    /// Set when the stage is open.
    wanted: AtomicBool,
    asked: Notify,
}

impl Front {
    pub(super) fn new(desk: Desk, lab: LabStatus, spec: &RunSpec) -> Self {
        let setup = spec.scenario.setup.clone();
        Front {
            news: desk.news.clone(),
            desk: tokio::sync::Mutex::new(Some(desk)),
            lab,
            view: picture::first_view(&setup),
            setup,
            mode: spec.time.to_string(),
            doing: Mutex::default(),
            wanted: AtomicBool::new(false),
            asked: Notify::new(),
        }
    }

    /// Says what is being done.
    pub(super) fn stage(&self, text: &str) {
        text.clone_into(&mut self.doing.lock().unwrap_or_else(PoisonError::into_inner));
        self.news.tell(Message::Status(self.status().into()));
    }

    /// Takes the desk over, when the stage is open.
    pub(super) async fn hand_over(&self) -> Desk {
        self.wanted.store(true, SeqCst);
        self.asked.notify_one();
        let desk = self.desk.lock().await.take();
        desk.expect("the desk is handed over once")
    }

    /// Receives until the desk is handed over, and then waits for ever. Returns when the lab is to
    /// end before that.
    pub(super) async fn receive(&self, cancel: &Cancel) {
        {
            let mut desk = self.desk.lock().await;
            while !self.wanted.load(SeqCst) {
                let Some(desk) = desk.as_mut() else { break };
                let ask = tokio::select! {
                    () = self.asked.notified() => continue,
                    ask = desk.asks.recv() => ask,
                };
                let Some(ask) = ask else { break };
                if let Ask::Down(answer) = ask {
                    let _ = answer.send(Ok(()));
                    cancel.cancel();
                    break;
                }
                self.answer(ask);
            }
        }
        std::future::pending().await
    }

    fn answer(&self, ask: Ask) {
        match ask {
            Ask::Status(answer) => {
                let _ = answer.send(Ok(self.status()));
            }
            other => {
                let doing = self.doing.lock().unwrap_or_else(PoisonError::into_inner).clone();
                other.refuse(Refused::new(Why::Conflict, format!("the lab is starting: {doing}")));
            }
        }
    }

    fn status(&self) -> Status {
        let doing = self.doing.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let clock = Clock { t: 0.0, mode: self.mode.clone(), state: RunState::Starting };
        let picture = picture::Picture { setup: &self.setup, view: &self.view };
        Status { starting: Some(doing), ..picture.status(self.lab.clone(), clock) }
    }
}
