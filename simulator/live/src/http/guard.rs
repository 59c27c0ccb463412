//! Who may ask on a port: those with the token, and no page of another site.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{asked::parameter, key::Key, problem::Problem};

/// Lets a request through, or answers it.
pub(super) async fn guard(
    State(key): State<Arc<Key>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    own_host(&key, &request)?;
    let token = parameter(request.uri(), "token");
    if let Some(token) = token.filter(|_| request.uri().path() == "/") {
        let may = request.method() == Method::GET && key.is(&token);
        return may.then(|| enter(&key)).ok_or_else(Problem::closed);
    }
    if !key.opens(request.headers()) {
        return Err(Problem::closed());
    }
    Ok(next.run(request).await)
}

/// The token goes from the address, where others could read it, into a cookie.
fn enter(key: &Key) -> Response {
    let headers = [(header::SET_COOKIE, key.cookie()), (header::LOCATION, "/".to_owned())];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// A name that leads here, but is not ours, may be another site's (DNS rebinding); so may an origin.
fn own_host(key: &Key, request: &Request) -> Result<(), Problem> {
    let hosts = key.hosts();
    let mut given = request.headers().get_all(header::HOST).into_iter();
    let (host, further) = (given.next().and_then(|host| host.to_str().ok()), given.next());
    let host = host.filter(|host| further.is_none() && hosts.iter().any(|it| it == host));
    let in_uri = request.uri().authority().is_none_or(|it| Some(it.as_str()) == host);
    let Some(host) = host.filter(|_| in_uri) else {
        return Err(Problem::foreign(format!("the host must be {}", hosts.join(" or "))));
    };
    let own = format!("http://{host}");
    match request.headers().get_all(header::ORIGIN).iter().all(|origin| *origin == own) {
        true => Ok(()),
        false => Err(Problem::foreign("another site must not ask")),
    }
}

/// What a browser is told about every answer.
const RULES: [(HeaderName, HeaderValue); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    ),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// Adds the rules for browsers to an answer, where it does not have its own.
pub(super) async fn rules(mut response: Response) -> Response {
    for (name, value) in RULES {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}
