use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Context, Poll, Wake, Waker},
};

use axum::{
    body::Body,
    extract::FromRequestParts,
    http::{HeaderMap, Request, Response, StatusCode, header},
    response::IntoResponse,
};
use session_core::{Session, SessionId, SessionLayer};
use tower::{Layer, ServiceExt, service_fn};

use crate::{
    action::{Action, look_at},
    history::{Event, History},
};

/// What a request is to do, for the handler.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) action: Action,
    pub(crate) number: usize,
    /// The browser's session at the start.
    pub(crate) device: Option<SessionId>,
    pub(crate) history: History,
}

/// The head of a response.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
}

impl<B> From<Response<B>> for Head {
    fn from(response: Response<B>) -> Self {
        let (parts, _) = response.into_parts();
        Self {
            status: parts.status,
            headers: parts.headers,
        }
    }
}

/// Sends a request to an instance with this layer.
pub(crate) async fn send(layer: SessionLayer, task: Task, cookies: String) -> Head {
    let layer = match task.action {
        Action::Touch => layer.touch_interval(std::time::Duration::ZERO),
        _ => layer,
    };
    let request = Request::get("/").header(header::COOKIE, cookies).extension(task);
    let request = request.body(Body::empty()).unwrap();
    let Ok(response) = layer.layer(service_fn(handle)).oneshot(request).await;
    response.into()
}

async fn handle(request: Request<Body>) -> Result<Response<Body>, Infallible> {
    let (mut parts, _) = request.into_parts();
    let task: Task = parts.extensions.remove().unwrap();
    let session = match Session::from_request_parts(&mut parts, &()).await {
        Ok(session) => session,
        Err(error) => return Ok(error.into_response()),
    };
    let (request, seen) = (task.number, look_at(&session));
    task.history.add(Event::Saw { request, seen });
    let done = task.action.handle(&session, task.number, task.device).await;
    Ok(done.into_response())
}

/// A future that is polled when it is decided, and not by a runtime.
pub(crate) struct Running {
    future: Pin<Box<dyn Future<Output = Head> + Send>>,
    flag: Arc<Flag>,
}

/// Whether a future wants to be polled.
#[derive(Debug)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, SeqCst);
    }
}

impl Running {
    pub(crate) fn new(future: impl Future<Output = Head> + Send + 'static) -> Self {
        Self {
            future: Box::pin(future),
            flag: Arc::new(Flag(AtomicBool::new(true))),
        }
    }

    /// Whether it wants to be polled.
    pub(crate) fn is_woken(&self) -> bool {
        self.flag.0.load(SeqCst)
    }

    pub(crate) fn poll(&mut self) -> Poll<Head> {
        self.flag.0.store(false, SeqCst);
        let waker = Waker::from(Arc::clone(&self.flag));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }
}
