use std::sync::Arc;

use axum_core::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header, request::Parts};

use super::{Handle, LazyHandle, Session};
use crate::Error;

impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = Error;

    /// Opens the session of the request: at most one trip to the store, and none without a token.
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        open(handle(parts).ok_or(Error::NoLayer)).await
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Session {
    type Rejection = Error;

    /// `None` only where no layer is there to ask; a store that failed is a refusal here too.
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Error> {
        match handle(parts) {
            None => Ok(None),
            Some(handle) => open(Ok(handle)).await.map(Some),
        }
    }
}

fn handle(parts: &Parts) -> Option<Arc<Handle>> {
    let lazy = parts.extensions.get::<Arc<LazyHandle>>()?;
    Some(Arc::clone(lazy.of(&parts.headers)))
}

async fn open(handle: Result<Arc<Handle>, Error>) -> Result<Session, Error> {
    let opened = async {
        let handle = handle?;
        handle.open().await?;
        Ok(Session::of(handle))
    };
    opened.await.inspect_err(|error: &Error| {
        tracing::error!(
            error = error as &dyn std::error::Error,
            "a request cannot open its session"
        );
    })
}

/// How long a browser or a balancer should wait before it asks a store that is down again, in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

impl IntoResponse for Error {
    /// A line of text, and the error itself in the response's extensions.
    fn into_response(self) -> Response {
        let status = match self {
            Self::InvalidId | Self::InvalidUser => StatusCode::BAD_REQUEST,
            Self::Unavailable { .. } | Self::Unknown { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Locked | Self::LoginTooOld | Self::NotLoggedIn => StatusCode::UNAUTHORIZED,
            Self::Conflict { .. } | Self::Ended | Self::LimitReached { .. } => StatusCode::CONFLICT,
            Self::TooLarge { .. } | Self::ValueTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let mut response = (status, self.to_string()).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}
