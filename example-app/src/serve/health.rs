use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
};

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
    routing::get,
};
use serde::{Deserialize, Serialize};
use session_core::{Session, SessionId, SessionStore};

use crate::chain;

/// More sessions than this are not told apart.
const MOST_SESSIONS: usize = 100_000;

/// Whether an instance should be sent requests, and what it has done so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Health(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    phase: AtomicU8,
    /// What it waits for before it is ready.
    awaited: Mutex<Option<String>>,
    requests: AtomicU64,
    sessions: Mutex<HashSet<SessionId>>,
}

const STARTING: u8 = 0;
const READY: u8 = 1;
const STOPPING: u8 = 2;

/// What `/status` tells.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Status {
    pub(crate) instance: String,
    /// `starting`, `ready` or `stopping`.
    pub(crate) phase: String,
    /// `ok`, or what is wrong.
    pub(crate) store: String,
    /// How many requests it has answered.
    pub(crate) requests: u64,
    /// How many sessions it has seen.
    pub(crate) sessions: usize,
}

impl Health {
    /// From now on it should be sent requests, whatever becomes of the store: our 503 says more than a balancer's.
    pub(crate) fn ready(&self) {
        let _ = self
            .0
            .phase
            .compare_exchange(STARTING, READY, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// What it waits for before it is ready, for whoever asks.
    pub(super) fn waits_for(&self, reason: String) {
        *self.0.awaited.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
    }

    /// From now on it should be sent no more requests.
    pub(crate) fn stopping(&self) {
        self.0.phase.store(STOPPING, Ordering::Relaxed);
    }

    /// Whether it was asked to stop: what would never end by itself should end now.
    pub(crate) fn is_stopping(&self) -> bool {
        self.0.phase.load(Ordering::Relaxed) == STOPPING
    }

    fn saw(&self, session: Option<SessionId>) {
        let mut sessions = self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() < MOST_SESSIONS {
            sessions.extend(session);
        }
    }

    /// A middleware that counts requests, and the sessions they belong to.
    pub(crate) async fn count(State(health): State<Self>, session: Session, request: Request, next: Next) -> Response {
        let mut response = next.run(request).await;
        health.0.requests.fetch_add(1, Ordering::Relaxed);
        health.saw(session.id());
        if health.is_stopping() {
            // Whoever keeps the connection open for the next request had better look for another instance.
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        response
    }

    /// What a platform asks. None of it opens a session, and `/healthz` asks nobody at all: a store that is away must
    /// not get every instance restarted.
    pub(crate) fn routes(&self, instance: &str, store: Arc<dyn SessionStore>) -> Router {
        let (instance, status, ready) = (instance.to_owned(), self.clone(), self.clone());
        Router::new()
            .route("/healthz", get(async || "ok"))
            .route("/readyz", get(async move || ready.is_ready()))
            .route(
                "/status",
                get(async move || Json(status.status(instance, &*store).await)),
            )
    }

    fn is_ready(&self) -> (StatusCode, String) {
        let phase = self.phase();
        let code = match phase {
            "ready" => StatusCode::OK,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        let awaited = self.0.awaited.lock().unwrap_or_else(PoisonError::into_inner);
        let text = match awaited.as_deref() {
            Some(reason) if phase == "starting" => format!("starting: {reason}"),
            _ => phase.to_owned(),
        };
        (code, text)
    }

    fn phase(&self) -> &'static str {
        match self.0.phase.load(Ordering::Relaxed) {
            STARTING => "starting",
            READY => "ready",
            _ => "stopping",
        }
    }

    async fn status(&self, instance: String, store: &dyn SessionStore) -> Status {
        let store = store.ping().await;
        Status {
            instance,
            phase: self.phase().to_owned(),
            store: store.map_or_else(|error| chain(&error), |()| "ok".to_owned()),
            requests: self.0.requests.load(Ordering::Relaxed),
            sessions: self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner).len(),
        }
    }
}
