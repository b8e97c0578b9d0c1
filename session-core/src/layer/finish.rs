use std::sync::Arc;

use axum_core::{body::Body, response::IntoResponse};
use http::{HeaderValue, Response, header};

use crate::session::{Handle, Views};

/// [Finishes](finish) a request that leaves nothing to be done, as most do; whether it is one.
pub(super) fn finish_at_once(handle: &Handle, response: &mut Response<Body>) -> bool {
    if !handle.is_used() {
        return true;
    }
    let is_closed = handle.close_at_once();
    if is_closed {
        send_head(handle, response);
    }
    is_closed
}

/// Commits what the request did to its session, and makes the response say so. The views live as long.
pub(super) async fn finish(handle: Arc<Handle>, _views: Views, response: Response<Body>) -> Response<Body> {
    let status = response.status();
    if !status.is_server_error() {
        handle.collect().await;
    }
    if !handle.is_used() {
        return response;
    }
    let mut response = match handle.close(status).await {
        Ok(()) => response,
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a request's changes to its session are not kept"
            );
            error.into_response()
        }
    };
    send_head(&handle, &mut response);
    response
}

/// Makes a response whose request opened the session say what became of it.
fn send_head(handle: &Handle, response: &mut Response<Body>) {
    handle.send_head(response.headers_mut());
    response
        .headers_mut()
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    handle.purge_if_due();
}
