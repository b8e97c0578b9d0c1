use std::time::Duration;

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use axum_reverse_proxy::RetryLayer;

use super::roster::Roster;

/// How many instances a request is offered to. It goes on to the next one only if it never reached one.
const TRIES: usize = 4;

/// A round-robin balancer in front of the instances that are ready.
///
/// It keeps no browser on one instance, so that each request of a session meets another one.
pub(super) fn balancer(roster: Roster) -> Router {
    Router::new()
        .fallback_service(any(forward).with_state(roster))
        .layer(RetryLayer::with_delay(TRIES, Duration::from_millis(20)))
}

async fn forward(State(roster): State<Roster>, request: Request) -> Response {
    let Some(instance) = roster.next() else {
        let retry = (header::RETRY_AFTER, HeaderValue::from_static("1"));
        return (StatusCode::SERVICE_UNAVAILABLE, [retry], "no instance is ready").into_response();
    };
    match instance.proxy_request(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
