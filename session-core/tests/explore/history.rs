use std::sync::{Arc, Mutex, MutexGuard};

use axum::http::StatusCode;
use session_core::{Delta, SessionId};

/// What a handler saw of its session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) id: Option<SessionId>,
    pub(crate) user: Option<String>,
    pub(crate) keys: Vec<String>,
    pub(crate) n: Option<u64>,
}

/// What the server did, for certain.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Created {
        id: SessionId,
        user: Option<String>,
        delta: Delta,
    },
    /// A live session was read.
    Loaded {
        id: SessionId,
    },
    Updated {
        id: SessionId,
        delta: Delta,
    },
    Renewed {
        from: SessionId,
        to: SessionId,
        user: Option<String>,
        delta: Delta,
        is_login: bool,
        is_by_time: bool,
    },
    Ended {
        id: SessionId,
    },
    EndedAll {
        user: String,
        except: Option<SessionId>,
    },
    Expired,
}

/// Something that happened. Requests have numbers; what was there at the start is nobody's.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// The request was sent with these cookies, of which a store would have opened this one.
    Sent {
        request: usize,
        cookies: Vec<SessionId>,
        opens: Option<SessionId>,
    },
    /// The server did something for a request, on this instance.
    Done {
        request: Option<usize>,
        instance: usize,
        change: Change,
    },
    /// The handler saw its session.
    Saw { request: usize, seen: Seen },
    /// The head of the response was sent.
    Responded { request: usize, status: StatusCode },
    /// The cookies of the response came to the jar.
    Arrived { request: usize },
}

/// All that happened in one schedule, in its order.
#[derive(Clone, Debug, Default)]
pub(crate) struct History(Arc<Mutex<Vec<Event>>>);

impl History {
    pub(crate) fn add(&self, event: Event) {
        self.events().push(event);
    }

    pub(crate) fn events(&self) -> MutexGuard<'_, Vec<Event>> {
        self.0.lock().unwrap()
    }
}
