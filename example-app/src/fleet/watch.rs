use std::{net::SocketAddr, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::StatusCode,
};
use http_body_util::{BodyExt, Limited};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::{sync::mpsc, time};

use crate::serve::Status;

/// How often an instance is asked whether it is ready: one that is not, and one that was.
const WAITING: Duration = Duration::from_millis(100);
const READY: Duration = Duration::from_secs(1);

/// How long that answer may take, as in `manifest.yml`. A frozen instance gives none.
const READY_LIMIT: Duration = Duration::from_secs(2);

/// How often an instance is asked how it does, and how long that may take: it asks its store.
const STATUS: Duration = Duration::from_secs(1);
const STATUS_LIMIT: Duration = Duration::from_secs(3);

/// News of an instance.
#[derive(Debug)]
pub(super) struct News {
    pub(super) guid: String,
    pub(super) told: Told,
}

/// What an instance told, or did not tell.
#[derive(Debug)]
pub(super) enum Told {
    /// Whether it should be sent requests.
    Ready(bool),
    /// How it does.
    Status(Status),
}

/// Asks an instance how it does, until nobody wants to know.
pub(super) async fn watch(guid: String, address: SocketAddr, news: mpsc::Sender<News>) {
    let tell = async |told| {
        let guid = guid.clone();
        news.send(News { guid, told }).await.is_ok()
    };
    let readiness = async {
        loop {
            let answer = get(address, "/readyz", READY_LIMIT).await;
            let is_ready = matches!(answer, Some((StatusCode::OK, _)));
            if !tell(Told::Ready(is_ready)).await {
                return;
            }
            time::sleep(if is_ready { READY } else { WAITING }).await;
        }
    };
    let status = async {
        loop {
            time::sleep(STATUS).await;
            let answer = get(address, "/status", STATUS_LIMIT).await;
            let status = answer.and_then(|(_, body)| serde_json::from_slice(&body).ok());
            if let Some(status) = status
                && !tell(Told::Status(status)).await
            {
                return;
            }
        }
    };
    tokio::join!(readiness, status);
}

/// Asks on a new connection, as platforms do.
async fn get(address: SocketAddr, path: &str, limit: Duration) -> Option<(StatusCode, Bytes)> {
    let client: Client<HttpConnector, Body> = Client::builder(TokioExecutor::new()).build_http();
    let uri = format!("http://{address}{path}").parse().ok()?;
    let answer = async {
        let answer = client.get(uri).await.ok()?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), 64 * 1024).collect();
        Some((status, body.await.ok()?.to_bytes()))
    };
    time::timeout(limit, answer).await.ok()?
}
