use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
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
    phase: Mutex<Phase>,
    requests: AtomicU64,
    sessions: Mutex<HashSet<SessionId>>,
}

/// How far an instance is.
#[derive(Debug, Default)]
enum Phase {
    /// It begins to prepare what it needs.
    #[default]
    Starting,
    /// Something has to happen before it is ready.
    Waiting { why: String },
    /// It should be sent requests.
    Ready,
    /// It should be sent no more requests.
    Stopping,
}

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
        self.unless_stopping(Phase::Ready);
    }

    /// It is not ready yet, for this reason.
    pub(super) fn waits(&self, why: impl Into<String>) {
        self.unless_stopping(Phase::Waiting { why: why.into() });
    }

    /// From now on it should be sent no more requests.
    pub(crate) fn stopping(&self) {
        *self.phase() = Phase::Stopping;
    }

    /// Whether it was asked to stop: what would never end by itself should end now.
    pub(crate) fn is_stopping(&self) -> bool {
        matches!(*self.phase(), Phase::Stopping)
    }

    fn unless_stopping(&self, next: Phase) {
        let mut phase = self.phase();
        if !matches!(*phase, Phase::Stopping) {
            *phase = next;
        }
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.0.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn saw(&self, session: Option<SessionId>) {
        let mut sessions = self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() < MOST_SESSIONS {
            sessions.extend(session);
        }
    }

    /// A middleware that counts requests, and the sessions they belong to.
    pub(crate) async fn count(State(health): State<Self>, session: Session, request: Request, next: Next) -> Response {
        let response = next.run(request).await;
        health.0.requests.fetch_add(1, Ordering::Relaxed);
        health.saw(session.id());
        response
    }

    /// A middleware that closes the connections of an instance that stops: whoever keeps one open for the next request
    /// had better look for another instance.
    pub(super) async fn close(State(health): State<Self>, request: Request, next: Next) -> Response {
        let mut response = next.run(request).await;
        if health.is_stopping() {
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
        match &*phase {
            Phase::Ready => (StatusCode::OK, phase.name().to_owned()),
            Phase::Waiting { why } => (StatusCode::SERVICE_UNAVAILABLE, format!("{}: {why}", phase.name())),
            Phase::Starting | Phase::Stopping => (StatusCode::SERVICE_UNAVAILABLE, phase.name().to_owned()),
        }
    }

    async fn status(&self, instance: String, store: &dyn SessionStore) -> Status {
        let store = store.ping().await;
        if let Err(error) = &store {
            tracing::debug!("the store does not answer: {}", chain(error));
        }
        Status {
            instance,
            phase: self.phase().name().to_owned(),
            // Anybody may ask, so no word of where the store is; that is logged.
            store: store.map_or_else(|error| error.to_string(), |()| "ok".to_owned()),
            requests: self.0.requests.load(Ordering::Relaxed),
            sessions: self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner).len(),
        }
    }
}

impl Phase {
    const fn name(&self) -> &'static str {
        match self {
            Self::Starting | Self::Waiting { .. } => "starting",
            Self::Ready => "ready",
            Self::Stopping => "stopping",
        }
    }
}
