use std::sync::Arc;

use axum_core::{body::Body, response::IntoResponse};
use http::{HeaderValue, Response, header};

use crate::session::Handle;

/// Commits what the request did to its session, and makes the response say so.
pub(super) async fn finish(handle: Arc<Handle>, response: Response<Body>) -> Response<Body> {
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
    handle.send_head(response.headers_mut());
    response
        .headers_mut()
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    handle.purge_if_due();
    response
}
