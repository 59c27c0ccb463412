//! `/api/stream`: what happens, as Server-Sent Events.

use std::convert::Infallible;

use axum::{
    extract::{Request, State},
    response::{
        IntoResponse, Response,
        sse::{Event as Sse, KeepAlive},
    },
};
use futures_util::{Stream, StreamExt, stream};
use serde::Serialize;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use super::{app::App, asked::parameter, limits::KEEP_ALIVE, problem::Problem};
use crate::api::{Lost, Message, Past};

/// What a follower wants to see.
#[derive(Debug, Clone, Copy)]
enum View {
    /// The last minutes, ticks, and no event that they have counted.
    Page,
    /// Every event, no ticks.
    Events,
}

/// Follows the lab.
pub(super) async fn stream(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let view = match parameter(request.uri(), "view").as_deref() {
        Some("page") => View::Page,
        Some("events") | None => View::Events,
        Some(_) => return Err(Problem::invalid("`view` is `page` or `events`")),
    };
    let room = app.stream()?;
    // What happens between the past and the state is told twice rather than never.
    let (past, messages) = match view {
        View::Page => {
            let (past, messages) = app.lab.follow_from_the_past();
            (sse("past", &past), messages)
        }
        View::Events => (None, app.lab.follow()),
    };
    let status = app.lab.status().await?;
    let first = past.into_iter().chain(sse("status", &status));
    let all =
        stream::iter(first).chain(follow(messages, view)).take_until(app.stop.cancelled_owned());
    let held = all.map(move |message| {
        let _ = &room;
        Ok::<_, Infallible>(message)
    });
    let alive = KeepAlive::new().interval(KEEP_ALIVE);
    Ok(axum::response::Sse::new(held).keep_alive(alive).into_response())
}

fn follow(messages: Receiver<Message>, view: View) -> impl Stream<Item = Sse> {
    stream::unfold(messages, move |mut messages| async move {
        loop {
            let shown = match messages.recv().await {
                Ok(message) => show(&message, view),
                Err(RecvError::Lagged(count)) => sse("lost", &Lost { count }),
                Err(RecvError::Closed) => return None,
            };
            if let Some(shown) = shown {
                return Some((shown, messages));
            }
        }
    })
}

fn show(message: &Message, view: View) -> Option<Sse> {
    match (message, view) {
        (Message::Status(status), _) => sse("status", status.as_ref()),
        (Message::Event(event), View::Page) if Past::leaves_out(event) => None,
        (Message::Event(event), _) => sse("event", event.as_ref()),
        (Message::Tick(tick), View::Page) => sse("tick", tick.as_ref()),
        (Message::Tick(_), View::Events) => None,
        (Message::Ended(ended), _) => sse("ended", ended),
    }
}

/// `None` if it cannot be JSON.
fn sse(name: &str, data: &impl Serialize) -> Option<Sse> {
    Some(Sse::default().event(name).data(serde_json::to_string(data).ok()?))
}
