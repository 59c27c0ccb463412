//! A terminal as the cells of a screen, for clients that only draw.

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::extract::ws::{Message, WebSocket};
use futures_util::{SinkExt, StreamExt};
use sansim_protocol::TerminalSize;
use sansim_stage::Input;
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken as Stop;

use super::{Sending, converse, finish, in_bounds, text, type_all};
use crate::{
    api::{FromTerminal, Terminal, ToTerminal},
    http::{limits::FRAME, screen::Picture},
};

/// A screen, and whether it has changed.
struct Easel {
    picture: Mutex<Picture>,
    changed: Notify,
}

impl Easel {
    fn picture(&self) -> MutexGuard<'_, Picture> {
        self.picture.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Picture)) {
        change(&mut self.picture());
        self.changed.notify_one();
    }
}

/// Keeps the screen, and sends what changes on it.
pub(super) async fn draw(socket: WebSocket, terminal: Terminal, size: TerminalSize, stop: Stop) {
    let (mut sending, receiving) = socket.split();
    let Terminal { input, mut output, ended } = terminal;
    let easel = Easel { picture: Mutex::new(Picture::new(size)), changed: Notify::new() };
    let over = Stop::new();
    let take = async {
        while let Some(piece) = output.recv().await {
            easel.change(|picture| picture.take(&piece));
        }
        over.cancel();
        Ok(())
    };
    let show = show(&easel, &over, &mut sending);
    let typed = type_all(receiving, input, |message| match message {
        Message::Text(text) => match serde_json::from_str(&text) {
            Ok(message) => Ok(hear(&easel, message)),
            Err(_) => Err("a message is {\"typed\":…}, {\"resized\":…} or {\"scrolled\":…}"),
        },
        Message::Binary(_) => Err("messages are text"),
        _ => Ok(Vec::new()),
    });
    let shown = async { tokio::try_join!(take, show).is_ok() };
    let end = converse(shown, typed, stop).await;
    finish(sending, end, ended).await;
}

/// Sends what changes, until the program has ended.
async fn show(easel: &Easel, over: &Stop, sending: &mut Sending) -> Result<(), axum::Error> {
    let mut next = Instant::now();
    loop {
        let last = over.is_cancelled();
        let change = easel.picture().change();
        if let Some(change) = change {
            next = Instant::now() + FRAME;
            sending.send(text(&FromTerminal::Screen(change))).await?;
        }
        if last {
            return Ok(());
        }
        tokio::select! {
            () = easel.changed.notified() => sleep_until(next).await,
            () = over.cancelled() => {}
        }
    }
}

/// What a message means for the guest.
fn hear(easel: &Easel, message: ToTerminal) -> Vec<Input> {
    match message {
        ToTerminal::Typed(typed) => {
            // Whoever types wants to see it.
            easel.change(|picture| picture.scroll(0));
            vec![Input::Typed(easel.picture().keys(typed))]
        }
        ToTerminal::Resized(rows, columns) => {
            let size = in_bounds(rows, columns);
            easel.change(|picture| picture.resize(size));
            vec![Input::Resized(size)]
        }
        ToTerminal::Scrolled(lines) => {
            easel.change(|picture| picture.scroll(lines));
            Vec::new()
        }
    }
}
