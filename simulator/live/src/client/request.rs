//! A request and its answer.

use std::path::Path;

use axum::http::{Method, Request, Response, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

use super::ClientError;
use crate::api::Refused;

/// What is sent.
pub(super) enum Body {
    None,
    Json(Vec<u8>),
    Bytes(Vec<u8>),
}

/// Sends a request, and gives the body of its answer.
pub(super) async fn send(
    socket: &Path,
    method: Method,
    path: &str,
    body: Body,
) -> Result<Vec<u8>, ClientError> {
    let answer = open(socket, method, path, body).await?;
    let body = answer.into_body().collect().await.map_err(ClientError::lost)?;
    Ok(body.to_bytes().into())
}

/// Sends a request, and gives its answer, whose body is still to come.
pub(super) async fn open(
    socket: &Path,
    method: Method,
    path: &str,
    body: Body,
) -> Result<Response<Incoming>, ClientError> {
    let (kind, body) = match body {
        Body::None => (None, Vec::new()),
        Body::Json(body) => (Some("application/json"), body),
        Body::Bytes(body) => (Some("application/octet-stream"), body),
    };
    let mut request = Request::builder().method(method).uri(path).header(header::HOST, "lab");
    if let Some(kind) = kind {
        request = request.header(header::CONTENT_TYPE, kind);
    }
    let request = request.body(Full::new(Bytes::from(body))).map_err(ClientError::strange)?;
    let connection = TokioIo::new(connect(socket).await?);
    let (mut sender, connection) = http1::handshake(connection).await.map_err(ClientError::lost)?;
    tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(ClientError::lost)?;
    if answer.status() == StatusCode::OK {
        return Ok(answer);
    }
    let body = answer.into_body().collect().await.map_err(ClientError::lost)?;
    Err(refusal(&body.to_bytes()))
}

pub(super) async fn connect(socket: &Path) -> Result<UnixStream, ClientError> {
    let connected = UnixStream::connect(socket).await;
    connected.map_err(|error| ClientError::Unreachable(socket.to_owned(), error))
}

pub(super) fn refusal(body: &[u8]) -> ClientError {
    match serde_json::from_slice::<Refused>(body) {
        Ok(refused) => refused.into(),
        Err(error) => ClientError::strange(error),
    }
}

/// A part of an address, with what is special there encoded.
pub(super) fn encode(part: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encode = |byte| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    part.bytes().map(encode).collect()
}
