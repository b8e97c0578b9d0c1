use axum::{
    extract::FromRequestParts,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};

/// What the handlers do with a session, each crate in its own way: its documentation's, and nothing cleverer.
pub(super) trait Sessions: FromRequestParts<()> + Send + Sync + 'static {
    /// The value of a key.
    fn get<T: DeserializeOwned + Send>(&self, key: &str) -> impl Future<Output = Result<Option<T>, Refused>> + Send;

    /// Sets a key.
    fn set<T: Serialize + Send + Sync>(&self, key: &str, value: T) -> impl Future<Output = Result<(), Refused>> + Send;

    /// Adds one to a number and returns it: atomically, where the crate has a way to.
    fn increment(&self, key: &str) -> impl Future<Output = Result<u64, Refused>> + Send;

    /// Logs a user in, under a new token.
    fn log_in(&self, user: String) -> impl Future<Output = Result<(), Refused>> + Send;
}

/// An error of a session, answered with its text, so that whoever measures can say what went wrong.
pub(super) struct Refused(String);

impl<E: std::error::Error> From<E> for Refused {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, self.0).into_response()
    }
}
