//! The same app over stock tower-sessions, to show that the races are real: the same checks fail here.
//!
//! The stores that are published for Redis and Postgres do not fit tower-sessions 0.15 yet, and would bring a second
//! Redis client and a second sqlx along. These two keep a whole record under its id, as those do, and issue the
//! statements that those issue; the text of the record is JSON here and MessagePack there.

mod postgres;
mod redis;

use axum::{
    Json, Router,
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::Value;
use tower_sessions::{Session, SessionManagerLayer, SessionStore, session::Error};

use crate::{
    Failure,
    gate::{Held, Open},
    state,
};

/// The app over the stock layer.
pub(crate) async fn app(url: &str) -> Result<Router, Failure> {
    if url.starts_with("redis:") {
        Ok(over(redis::WholeRecords::connect(url).await?))
    } else {
        Ok(over(postgres::WholeRecords::connect(url).await?))
    }
}

fn over(store: impl SessionStore + Clone) -> Router {
    Router::new()
        .route("/state", get(show))
        .route("/write/{key}/{value}", post(write))
        .route("/increment", post(increment))
        .route("/take", post(take))
        .route("/login/{user}", post(login))
        .route("/logout", post(logout))
        .layer(SessionManagerLayer::new(store).with_secure(false))
}

impl Open for Session {
    // Any read loads the record.
    async fn open(&self) -> Result<(), Response> {
        self.get_value("user")
            .await
            .map(drop)
            .map_err(|error| Failed(error).into_response())
    }
}

async fn show(session: Session) -> Result<Json<Value>, Failed> {
    let mut data = Vec::new();
    // The record is private; these are all the keys that the tests write.
    for key in ["start", "late", "count", "once"]
        .into_iter()
        .map(String::from)
        .chain((0..8).map(|n| format!("key{n}")))
    {
        if let Some(value) = session.get_value(&key).await? {
            data.push((key, value));
        }
    }
    let user: Option<String> = session.get("user").await?;
    Ok(state(user.as_deref(), data))
}

async fn write(Path((key, value)): Path<(String, String)>, Held(session): Held<Session>) -> Result<(), Failed> {
    Ok(session.insert(&key, value).await?)
}

async fn increment(Held(session): Held<Session>) -> Result<(), Failed> {
    let count: Option<u64> = session.get("count").await?;
    Ok(session.insert("count", count.unwrap_or(0) + 1).await?)
}

async fn take(Held(session): Held<Session>) -> Result<Json<Value>, Failed> {
    Ok(Json(session.remove_value("once").await?.unwrap_or_default()))
}

// As axum-login does it.
async fn login(Path(user): Path<String>, Held(session): Held<Session>) -> Result<(), Failed> {
    session.cycle_id().await?;
    Ok(session.insert("user", user).await?)
}

async fn logout(Held(session): Held<Session>) -> Result<(), Failed> {
    Ok(session.flush().await?)
}

struct Failed(Error);

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, self.0.to_string()).into_response()
    }
}
