//! The page of the lab: one document, and its scripts and style.
//!
//! The document has no script and no style of its own, so that `default-src 'self'` suffices. Its
//! scripts are plain ES modules in `page/`, without anybody else's code; they get everything from
//! the API.

mod assets;
mod document;
#[cfg(test)]
mod tests;

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::{
    Router,
    extract::Path,
    http::{
        HeaderMap, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
    },
    response::{Html, IntoResponse, Response},
    routing::get,
};

/// The routes of the page: `/`, and `/assets/{name}`.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/", get(page)).route("/assets/{name}", get(asset))
}

async fn page() -> Html<String> {
    Html(document::document().into_string())
}

/// An asset. The browser asks each time whether its copy is current, and so never mixes the
/// scripts of two versions of sansim that used the same port.
async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(asset) = assets::find(&name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let tag = tag(asset.text);
    let told = [(CACHE_CONTROL, "no-cache"), (ETAG, tag.as_str())];
    if headers.get(IF_NONE_MATCH).is_some_and(|given| given.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, told).into_response();
    }
    (told, [(CONTENT_TYPE, asset.content_type())], asset.text).into_response()
}

/// The ETag of a text.
fn tag(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}
