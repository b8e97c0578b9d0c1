use std::{net::SocketAddr, time::Duration};

use axum::{body::Body, http::StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::{sync::mpsc, time};

use crate::serve::Status;

/// How often an instance that starts is asked whether it is ready, and one that runs how it does.
const STARTING: Duration = Duration::from_millis(100);
const RUNNING: Duration = Duration::from_secs(1);

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(3);

/// News of an instance: first that it is ready, then how it does.
#[derive(Debug)]
pub(super) struct News {
    pub(super) guid: String,
    pub(super) status: Option<Status>,
}

/// Asks an instance how it does, until nobody wants to know.
pub(super) async fn watch(guid: String, address: SocketAddr, news: mpsc::Sender<News>) {
    let client: Client<HttpConnector, Body> = Client::builder(TokioExecutor::new()).build_http();
    let get = async |path: &str| {
        let uri = format!("http://{address}{path}").parse().ok()?;
        let answer = time::timeout(LIMIT, client.get(uri)).await.ok()?.ok()?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), 64 * 1024).collect();
        let body = time::timeout(LIMIT, body).await.ok()?.ok()?;
        Some((status, body.to_bytes()))
    };
    while !matches!(get("/readyz").await, Some((StatusCode::OK, _))) {
        if news.is_closed() {
            return;
        }
        time::sleep(STARTING).await;
    }
    let mut status = None;
    loop {
        let guid = guid.clone();
        if news.send(News { guid, status }).await.is_err() {
            return;
        }
        status = loop {
            time::sleep(RUNNING).await;
            let answer = get("/status").await;
            let status = answer.and_then(|(_, body)| serde_json::from_slice(&body).ok());
            if status.is_some() || news.is_closed() {
                break status;
            }
        };
    }
}
