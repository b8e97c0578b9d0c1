use std::time::Duration;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use axum_reverse_proxy::RetryLayer;
use futures_util::StreamExt;

use super::roster::Roster;
use crate::serve::Signal;

/// How many instances a request is offered to. It goes on to the next one only if it never reached one.
const TRIES: usize = 4;

/// What a browser asks for that listens to events.
const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");

/// A round-robin balancer in front of the instances that are ready.
///
/// It keeps no browser on one instance, so that each request of a session meets another one.
pub(super) fn balancer(roster: Roster, stop: Signal) -> Router {
    Router::new()
        .fallback_service(any(forward).with_state((roster, stop)))
        .layer(RetryLayer::with_delay(TRIES, Duration::from_millis(20)))
}

async fn forward(State((roster, stop)): State<(Roster, Signal)>, request: Request) -> Response {
    let is_stream = request.headers().get(header::ACCEPT) == Some(&EVENT_STREAM);
    let instance = match is_stream {
        true => roster.next_for_stream(),
        false => roster.next(),
    };
    let Some(instance) = instance else {
        let retry = (header::RETRY_AFTER, HeaderValue::from_static("1"));
        return (StatusCode::SERVICE_UNAVAILABLE, [retry], "no instance is ready").into_response();
    };
    match instance.proxy_request(request).await {
        // The fleet stops when all is answered, and an open page's stream never is.
        Ok(response) if is_stream => {
            response.map(|body| Body::from_stream(body.into_data_stream().take_until(stop.come())))
        }
        Ok(response) => response,
        Err(never) => match never {},
    }
}
