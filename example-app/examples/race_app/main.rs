//! A small app for the tests across instances, over our layer or over stock tower-sessions.
//!
//! Its handlers wait where the test tells them to: before they open the session, or between that and the commit. So a
//! test can prove that requests overlapped, with no sleeping. It takes the layer (`ours`, `near` with near
//! caches, or `stock`) and the store's URL, prints its address, and ends when its input does.

mod gate;
mod ours;
mod stock;

use std::{env, error::Error, io, time::Duration};

use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// How long a store may take, for a machine that is busy with many tests.
const PATIENCE: Duration = Duration::from_secs(20);

/// Bytes enough for all sessions of a test.
const NEAR_CACHE: u64 = 10 << 20;

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let app: Router = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["ours", url] => ours::app(url, None).await?,
        ["near", url] => ours::app(url, Some(NEAR_CACHE)).await?,
        ["stock", url] => stock::app(url).await?,
        _ => return Err("usage: race_app ours|near|stock STORE_URL".into()),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listens on http://{}", listener.local_addr()?);
    tokio::spawn(async { axum::serve(listener, app).await });
    // Whoever started it holds the other end, and closes it by ending too.
    tokio::task::spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink())).await??;
    std::process::exit(0);
}

/// What a session is, as the test sees it.
fn state(user: Option<&str>, data: Vec<(String, Value)>) -> Json<Value> {
    Json(json!({ "user": user, "data": data.into_iter().collect::<serde_json::Map<_, _>>() }))
}
