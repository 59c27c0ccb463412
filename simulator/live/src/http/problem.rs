//! A request that is refused, as it is answered.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::api::{Refused, Why};

/// A refusal, and the status of its answer.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    refused: Refused,
}

impl Problem {
    fn new(status: StatusCode, why: Why, message: impl Into<String>) -> Self {
        Problem { status, refused: Refused::new(why, message) }
    }

    /// 400: the request is not understood.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Refused::new(Why::Invalid, message).into()
    }

    /// 404: there is no such thing.
    pub(super) fn unknown(message: impl Into<String>) -> Self {
        Refused::new(Why::Unknown, message).into()
    }

    /// 503: others have taken all room.
    pub(super) fn busy(message: impl Into<String>) -> Self {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, Why::Conflict, message)
    }

    /// 413: the body is too large.
    pub(super) fn too_large(limit: usize) -> Self {
        let message = format!("this is larger than {} MiB", limit >> 20);
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, Why::Invalid, message)
    }

    /// 408: the body does not come.
    pub(super) fn late() -> Self {
        Problem::new(StatusCode::REQUEST_TIMEOUT, Why::Invalid, "the request did not come in time")
    }

    /// 405: the route has other methods.
    pub(super) fn method() -> Self {
        let message = "this path has no such method; see /api/openapi.json";
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, Why::Invalid, message)
    }

    /// 401: there is no token.
    pub(super) fn closed() -> Self {
        let message = "open the address that `sansim up` has printed, with its token";
        Problem::new(StatusCode::UNAUTHORIZED, Why::Invalid, message)
    }

    /// 403: another site asks.
    pub(super) fn foreign(message: impl Into<String>) -> Self {
        Problem::new(StatusCode::FORBIDDEN, Why::Invalid, message)
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let status = match refused.why {
            Why::Invalid => StatusCode::BAD_REQUEST,
            Why::Unknown => StatusCode::NOT_FOUND,
            Why::Conflict => StatusCode::CONFLICT,
            Why::Failed => StatusCode::INTERNAL_SERVER_ERROR,
            Why::Over => StatusCode::SERVICE_UNAVAILABLE,
        };
        Problem { status, refused }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let text = serde_json::to_string(&self.refused).unwrap_or_default();
        (self.status, [(header::CONTENT_TYPE, "application/json")], text).into_response()
    }
}
