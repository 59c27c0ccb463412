//! The routes of the API, once: for the router and for its document.

use std::time::Duration;

use axum::{Router, http::Method, response::IntoResponse, routing::on};

use super::{
    app::App,
    openapi::openapi,
    problem::Problem,
    route::{Content, Parameter, Route, of},
    stream, terminal, transfer,
};
use crate::{
    api::{
        CaptureChange, CaptureFile, Done, Ended, Exec, FromTerminal, Given, IoChange, Lost,
        MultipathText, Nothing, Now, Past, Refused, Status, Steps, Tick, TimeChange, ToTerminal,
        TourChange, WaitFor, Why, Words,
    },
    page,
};

const GET: Method = Method::GET;
const PUT: Method = Method::PUT;
const POST: Method = Method::POST;
const DELETE: Method = Method::DELETE;

/// Everything that is served, before it is asked who may ask.
pub(super) fn router(app: App) -> Router {
    let mut router = page::router();
    for route in table() {
        router = router.route(route.path, route.serve);
    }
    router
        .fallback(async || Problem::unknown("there is no such path; see /api/openapi.json"))
        .method_not_allowed_fallback(async || Problem::method())
        .with_state(app)
}

/// The API.
pub(super) fn table() -> Vec<Route> {
    [seeing(), acting(), guest(), session(), about()].into_iter().flatten().collect()
}

/// What happens, and what was.
fn seeing() -> Vec<Route> {
    vec![
        Route::plain((GET, "/api/status"), "The state of the lab.", |lab| async move {
            lab.status().await
        }),
        Route::own(
            (GET, "/api/stream"),
            "What happens from now on, after the state. A client that is too slow loses messages, \
             and is told how many.",
            Content::Events(&[
                ("past", of::<Past>),
                ("status", of::<Status>),
                ("event", of::<serde_json::Value>),
                ("tick", of::<Tick>),
                ("lost", of::<Lost>),
                ("ended", of::<Ended>),
            ]),
            |method| on(method, stream::stream),
        )
        .with(vec![optional::<String>(
            "view",
            "`events` has every event, as in events.ndjson, and no ticks. `page` has the last \
             minutes first, and then ticks, which count the READs and WRITEs that ended well, and \
             no events of those. `events` if it is left out.",
        )]),
        Route::plain(
            (GET, "/api/multipath"),
            "The output of `multipath -ll`, at most a second old.",
            |lab| async move { lab.multipath().await.map(|(t, text)| MultipathText { t, text }) },
        ),
        Route::own(
            (GET, "/api/console"),
            "The end of the guest's console.",
            Content::Raw("text/plain"),
            |method| on(method, transfer::console),
        ),
        Route::own(
            (GET, "/api/capture.pcapng"),
            "The capture so far.",
            Content::Raw("application/octet-stream"),
            |method| on(method, transfer::capture),
        ),
    ]
}

/// What is done to the SAN.
fn acting() -> Vec<Route> {
    vec![
        Route::asking(
            (POST, "/api/acts"),
            "Does steps, all at one time. The answer comes when they have ended in the guest; \
             while acts are held, at once.",
            |lab, asked: Steps| async move { lab.act(asked.steps).await.map(done) },
        ),
        Route::asking((POST, "/api/faults"), "Adds a fault rule.", |lab, rule: Given| async move {
            lab.add_fault(rule).await
        }),
        Route::own(
            (DELETE, "/api/faults/{name}"),
            "Removes a fault rule that was added.",
            Content::Json(of::<Nothing>),
            |method| on(method, transfer::remove_fault),
        )
        .with(vec![required::<String>("name", "The name of the rule.")]),
        Route::plain(
            (POST, "/api/reset"),
            "Heals everything: undoes what is broken, and removes the added fault rules.",
            |lab| async move { lab.reset().await.map(done) },
        ),
        Route::plain((POST, "/api/hold"), "Holds acts until `go`.", |lab| async move {
            lab.hold().await.map(nothing)
        }),
        Route::plain(
            (POST, "/api/go"),
            "Does the acts that are held, all at one time.",
            |lab| async move { lab.go().await.map(done) },
        ),
        Route::asking(
            (POST, "/api/wait"),
            "Waits until an expectation holds.",
            |lab, asked: WaitFor| async move { lab.wait(asked.expect, seconds(asked.for_s)?).await },
        ),
        Route::asking(
            (POST, "/api/io"),
            "Starts, stops or replaces a workload.",
            |lab, change: IoChange| async move { lab.io(change).await.map(done) },
        ),
    ]
}

/// What is done in the guest.
fn guest() -> Vec<Route> {
    vec![
        Route::asking(
            (POST, "/api/exec"),
            "Runs a program in the guest. It is not part of the story.",
            |lab, asked: Exec| async move { lab.exec(asked.argv, seconds(asked.for_s)?).await },
        ),
        Route::own(
            (GET, "/api/files"),
            "Reads a file of the guest.",
            Content::Raw("application/octet-stream"),
            |method| on(method, transfer::pull),
        )
        .with(path()),
        Route::own(
            (PUT, "/api/files"),
            "Writes a file of the guest, of at most 16 MiB.",
            Content::Json(of::<Nothing>),
            |method| on(method, transfer::push),
        )
        .with(path())
        .takes(Content::Raw("application/octet-stream")),
        Route::own(
            (GET, "/api/terminal"),
            "A WebSocket to a program in a new terminal. With `as=bytes`, binary messages are what \
             is typed and what is shown; with `as=cells`, the lab keeps the screen and sends what \
             changes on it.",
            Content::WebSocket(&[("client", of::<ToTerminal>), ("server", of::<FromTerminal>)]),
            |method| on(method, terminal::terminal),
        )
        .with(vec![
            optional::<String>("as", "`bytes` or `cells`; `bytes` if it is left out."),
            optional::<u16>("rows", "The size of the terminal; 24 if it is left out."),
            optional::<u16>("columns", "The size of the terminal; 80 if it is left out."),
            optional::<String>("term", "`$TERM`; `xterm-256color` if it is left out."),
            optional::<Vec<String>>("argv", "The program and its arguments; none is a shell."),
        ]),
    ]
}

/// The lab itself.
fn session() -> Vec<Route> {
    vec![
        Route::asking(
            (POST, "/api/time"),
            "Stops, continues or skips time.",
            |lab, change: TimeChange| async move { lab.time(change).await.map(|t| Now { t }) },
        ),
        Route::asking(
            (POST, "/api/capture"),
            "Starts or stops the capture of commands.",
            |lab, change: CaptureChange| async move {
                lab.capture(change.on).await.map(|file| CaptureFile { file })
            },
        ),
        Route::plain(
            (POST, "/api/save"),
            "The story so far, as a scenario file.",
            |lab| async move { lab.save().await },
        ),
        Route::asking(
            (POST, "/api/tour"),
            "Changes the guided tour.",
            |lab, change: TourChange| async move { lab.tour(change).await.map(nothing) },
        ),
        Route::plain((POST, "/api/down"), "Ends the lab.", |lab| async move {
            lab.down().await.map(nothing)
        }),
    ]
}

/// What can be said.
fn about() -> Vec<Route> {
    vec![
        Route::asking(
            (POST, "/api/complete"),
            "Candidates for the last of some words of `sansim ctl`.",
            |lab, asked: Words| async move { lab.complete(asked.words).await },
        ),
        Route::own(
            (GET, "/api/language"),
            "The JSON Schema of the scenario language.",
            Content::Raw("application/schema+json"),
            |method| {
                on(method, async || {
                    let kind = [("content-type", "application/schema+json")];
                    (kind, sansim_language::schema()).into_response()
                })
            },
        ),
        Route::own(
            (GET, "/api/openapi.json"),
            "This document.",
            Content::Raw("application/json"),
            |method| {
                on(method, async || {
                    ([("content-type", "application/json")], openapi()).into_response()
                })
            },
        ),
    ]
}

/// The file that is meant.
fn path() -> Vec<Parameter> {
    vec![required::<String>("path", "Where it is in the guest, from the root.")]
}

fn required<T: schemars::JsonSchema>(name: &'static str, what: &'static str) -> Parameter {
    Parameter { name, what, schema: of::<T>, required: true }
}

fn optional<T: schemars::JsonSchema>(name: &'static str, what: &'static str) -> Parameter {
    Parameter { name, what, schema: of::<T>, required: false }
}

fn done(did: Vec<crate::api::Did>) -> Done {
    Done { did }
}

fn nothing((): ()) -> Nothing {
    Nothing {}
}

fn seconds(seconds: f64) -> Result<Duration, Refused> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| Refused::new(Why::Invalid, format!("{seconds} s is no time to wait")))
}
