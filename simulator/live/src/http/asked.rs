//! What a request asks: its body and the parameters in its address.

use axum::{
    body::{Body, Bytes, HttpBody, to_bytes},
    extract::{FromRequest, Request},
    http::{Uri, header},
};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::{
    limits::{BODY, BODY_TIME},
    problem::Problem,
};

/// The body of a request, as JSON.
#[derive(Debug)]
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        // A page of another site can send text without asking first, but no JSON.
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            return Err(Problem::invalid("send JSON, with `Content-Type: application/json`"));
        }
        let bytes = read(request.into_body(), BODY).await?;
        serde_json::from_slice(&bytes)
            .map(Asked)
            .map_err(|error| Problem::invalid(format!("this is not what the route takes: {error}")))
    }
}

/// Reads a body of at most so many bytes.
pub(super) async fn read(body: Body, limit: usize) -> Result<Bytes, Problem> {
    if body.size_hint().lower() > limit as u64 {
        return Err(Problem::too_large(limit));
    }
    let read = timeout(BODY_TIME, to_bytes(body, limit)).await.map_err(|_| Problem::late())?;
    read.map_err(|_| Problem::too_large(limit))
}

/// The values of a parameter in an address, in their order.
pub(super) fn parameters(uri: &Uri, name: &str) -> Vec<String> {
    let all = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    all.filter(|(key, _)| key == name).map(|(_, value)| value.into_owned()).collect()
}

/// The last value of a parameter in an address.
pub(super) fn parameter(uri: &Uri, name: &str) -> Option<String> {
    parameters(uri, name).pop()
}
