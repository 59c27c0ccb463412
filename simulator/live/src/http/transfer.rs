//! Routes that pass on something else than JSON, or take it from the path.

use std::path::Path as FilePath;

use axum::{
    body::{Body, Bytes},
    extract::{Path, Request, State},
    http::header,
    response::{IntoResponse, Response},
};
use futures_util::StreamExt;
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;

use super::{
    app::App,
    asked::{parameter, read},
    limits::FILE,
    problem::Problem,
    route::json,
};
use crate::api::Nothing;

const BYTES: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/octet-stream")];
/// The capture's file in the lab's directory.
const CAPTURE: &str = "capture.pcapng";

/// `DELETE /api/faults/{name}`.
pub(super) async fn remove_fault(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    json(app.lab.remove_fault(name).await.map(|()| Nothing {}))
}

/// `GET /api/files`.
pub(super) async fn pull(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let path = path(&request)?;
    let room = app.file().await?;
    let contents = app.lab.pull(path).await?;
    // The room is taken until the last byte has been read.
    let body = futures_util::stream::iter(pieces(contents.into())).map(move |piece| {
        let _ = &room;
        Ok::<_, std::convert::Infallible>(piece)
    });
    Ok((BYTES, Body::from_stream(body)).into_response())
}

/// `PUT /api/files`.
pub(super) async fn push(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let path = path(&request)?;
    let _room = app.file().await?;
    let contents = read(request.into_body(), FILE).await?;
    json(app.lab.push(path, contents.into()).await.map(|()| Nothing {}))
}

fn path(request: &Request) -> Result<String, Problem> {
    let path = parameter(request.uri(), "path").filter(|path| path.starts_with('/'));
    path.ok_or_else(|| Problem::invalid("`path` must be the path of a file, from the root"))
}

/// A file in pieces, so that it is not held twice.
fn pieces(mut contents: Bytes) -> impl Iterator<Item = Bytes> {
    const PIECE: usize = 64 << 10;
    std::iter::from_fn(move || {
        let len = contents.len().min(PIECE);
        (len > 0).then(|| contents.split_to(len))
    })
}

/// `GET /api/console`.
pub(super) async fn console(State(app): State<App>) -> Result<String, Problem> {
    Ok(app.lab.console().await?)
}

/// `GET /api/capture.pcapng`: as long as it was when it was asked for.
pub(super) async fn capture(State(app): State<App>) -> Result<Response, Problem> {
    let status = app.lab.status().await?;
    let file = status.capture.map_or_else(|| CAPTURE.to_owned(), |capture| capture.file);
    let path = FilePath::new(&status.lab.directory).join(file);
    let none = |_| Problem::unknown("nothing has been captured (`sansim ctl capture on`)");
    let file = tokio::fs::File::open(&path).await.map_err(none)?;
    let len = file.metadata().await.map_err(none)?.len();
    let attached = (header::CONTENT_DISPOSITION, "attachment; filename=\"capture.pcapng\"");
    let headers = [BYTES[0].clone(), attached];
    let body = Body::from_stream(ReaderStream::new(file.take(len)));
    Ok((headers, [(header::CONTENT_LENGTH, len.to_string())], body).into_response())
}
