//! A route: what serves it, and what the API's document says about it.

use axum::{
    extract::State,
    http::{Method, header},
    response::{IntoResponse, Response},
    routing::{MethodFilter, MethodRouter, on},
};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, de::DeserializeOwned};

use super::{app::App, asked::Asked, problem::Problem};
use crate::{Handle, api::Refused};

/// Gives the schema of a type.
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// The schema of a type, as a reference to it.
pub(super) fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// What a request has as its body, or an answer.
#[derive(Debug, Clone, Copy)]
pub(super) enum Content {
    /// A type, as JSON.
    Json(SchemaOf),
    /// A media type.
    Raw(&'static str),
    /// Server-Sent Events: their names and data.
    Events(&'static [(&'static str, SchemaOf)]),
    /// A WebSocket: its messages, by who sends them.
    WebSocket(&'static [(&'static str, SchemaOf)]),
}

/// A parameter in the path, or in the query.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) what: &'static str,
    pub(super) schema: SchemaOf,
    pub(super) required: bool,
}

/// A route.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    /// A sentence about it.
    pub(super) what: &'static str,
    pub(super) parameters: Vec<Parameter>,
    pub(super) asks: Option<Content>,
    pub(super) gives: Content,
    pub(super) serve: MethodRouter<App>,
}

impl Route {
    /// A route whose answer is JSON, and which takes nothing.
    pub(super) fn plain<A, F>(
        (method, path): (Method, &'static str),
        what: &'static str,
        ask: fn(Handle) -> F,
    ) -> Route
    where
        A: Serialize + JsonSchema + 'static,
        F: Future<Output = Result<A, Refused>> + Send + 'static,
    {
        let serve = move |State(app): State<App>| async move { json(ask(app.lab).await) };
        let serve = on(filter(&method), serve);
        let gives = Content::Json(of::<A>);
        Route { method, path, what, parameters: Vec::new(), asks: None, gives, serve }
    }

    /// A route that takes JSON, and whose answer is JSON.
    pub(super) fn asking<B, A, F>(
        (method, path): (Method, &'static str),
        what: &'static str,
        ask: fn(Handle, B) -> F,
    ) -> Route
    where
        B: DeserializeOwned + JsonSchema + Send + 'static,
        A: Serialize + JsonSchema + 'static,
        F: Future<Output = Result<A, Refused>> + Send + 'static,
    {
        let serve = move |State(app): State<App>, Asked(body): Asked<B>| async move {
            json(ask(app.lab, body).await)
        };
        let serve = on(filter(&method), serve);
        let (asks, gives) = (Some(Content::Json(of::<B>)), Content::Json(of::<A>));
        Route { method, path, what, parameters: Vec::new(), asks, gives, serve }
    }

    /// A route with a handler of its own.
    pub(super) fn own(
        (method, path): (Method, &'static str),
        what: &'static str,
        gives: Content,
        serve: fn(MethodFilter) -> MethodRouter<App>,
    ) -> Route {
        let serve = serve(filter(&method));
        Route { method, path, what, parameters: Vec::new(), asks: None, gives, serve }
    }

    /// The same with parameters.
    pub(super) fn with(self, parameters: Vec<Parameter>) -> Route {
        Route { parameters, ..self }
    }

    /// The same with a body.
    pub(super) fn takes(self, asks: Content) -> Route {
        Route { asks: Some(asks), ..self }
    }
}

fn filter(method: &Method) -> MethodFilter {
    MethodFilter::try_from(method.clone()).expect("a usual method")
}

/// The answer to what was asked.
pub(super) fn json<A: Serialize>(answer: Result<A, Refused>) -> Result<Response, Problem> {
    let text = serde_json::to_string(&answer?).map_err(|error| {
        Refused::new(crate::api::Why::Failed, format!("the answer is no JSON: {error}"))
    })?;
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}
