use std::sync::Arc;

use axum_core::{body::Body, response::IntoResponse};
use http::{HeaderValue, Response, header};

use crate::{Error, session::Handle};

/// Commits what the request did to its session, and makes the response say so.
pub(super) async fn finish(handle: Arc<Handle>, response: Response<Body>) -> Response<Body> {
    let status = response.status();
    if !status.is_server_error() {
        handle.collect().await;
    }
    if !handle.is_used() {
        return response;
    }
    let refusal = handle.take_refusal();
    if status.is_server_error() || refusal.is_some() {
        handle.discard();
    }
    let outcome = match refusal {
        Some(error) => Err(error),
        None => commit(&handle).await.and_then(|()| handle.failure_behind(status)),
    };
    let mut response = match outcome {
        Ok(()) => response,
        Err(error) => error.into_response(),
    };
    handle.send_head(response.headers_mut());
    response
        .headers_mut()
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    handle.purge_if_due();
    response
}

async fn commit(handle: &Arc<Handle>) -> Result<(), Error> {
    match handle.commit().await {
        Err(Error::Ended) if handle.is_best_effort() => Ok(()),
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a request's changes to its session are not kept"
            );
            Err(error)
        }
        Ok(()) => Ok(()),
    }
}
