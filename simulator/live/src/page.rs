//! The page of a lab.

use axum::{Router, routing::get};

/// The routes of the page.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/", get(async || "the page is not there yet\n"))
}
