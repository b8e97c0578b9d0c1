use axum::{
    Router,
    extract::Path,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};

use super::{
    BARE,
    sessions::{Refused, Sessions},
};

/// The values that a record has besides the page.
const PARTS: usize = 4;

/// The route that asks for no session.
pub(super) fn plain() -> Router {
    Router::new().route("/plain", get(async || BARE))
}

/// All routes that go under a session layer.
pub(super) fn with<S: Sessions>() -> Router {
    plain()
        .route("/read", get(read::<S>))
        .route("/write/{size}/{number}", post(write::<S>))
        .route("/count", get(count::<S>))
        .route("/update", post(update::<S>))
        .route("/login/{user}", post(login::<S>))
        .route("/begin/{user}/{size}", post(begin::<S>))
}

/// The value that is read and written: a fifth of the record, with a number to know it by.
#[derive(Serialize, Deserialize)]
struct Page {
    number: u64,
    text: String,
}

impl Page {
    /// For a record of `size` bytes.
    fn new(number: u64, size: usize) -> Self {
        let text = text(size);
        Self { number, text }
    }
}

/// What fills a fifth of a record up, beside names and numbers.
fn text(size: usize) -> String {
    "x".repeat((size / (PARTS + 1)).saturating_sub(20))
}

async fn read<S: Sessions>(session: S) -> Result<String, Refused> {
    let page: Option<Page> = session.get("page").await?;
    Ok(page.map_or_else(|| "no page".to_owned(), |page| page.number.to_string()))
}

async fn write<S: Sessions>(Path((size, number)): Path<(usize, u64)>, session: S) -> Result<&'static str, Refused> {
    session.set("page", Page::new(number, size)).await?;
    Ok(BARE)
}

async fn count<S: Sessions>(session: S) -> Result<String, Refused> {
    let count: Option<u64> = session.get("count").await?;
    Ok(count.unwrap_or(0).to_string())
}

async fn update<S: Sessions>(session: S) -> Result<String, Refused> {
    Ok(session.increment("count").await?.to_string())
}

async fn login<S: Sessions>(Path(user): Path<String>, session: S) -> Result<&'static str, Refused> {
    session.log_in(user).await?;
    Ok(BARE)
}

/// A login that leaves a record of `size` bytes behind.
async fn begin<S: Sessions>(Path((user, size)): Path<(String, usize)>, session: S) -> Result<&'static str, Refused> {
    session.log_in(user).await?;
    for part in 0..PARTS {
        session.set(&format!("part{part}"), text(size)).await?;
    }
    session.set("page", Page::new(0, size)).await?;
    Ok(BARE)
}
