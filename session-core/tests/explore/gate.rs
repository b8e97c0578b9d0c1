use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};

use session_core::SessionId;
use tokio::{sync::oneshot, task};

/// A session, whatever it is renewed to. Those that are there at the start have tags of their own, which are the same
/// in every schedule; all that begin later are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    First,
    Device,
    Later,
}

impl Family {
    fn of(id: &SessionId) -> Self {
        let mut known = [Self::First, Self::Device].into_iter();
        known.find(|family| family.tag() == id.tag()).unwrap_or(Self::Later)
    }

    /// The tag of the tokens of such a session.
    pub(crate) const fn tag(self) -> [u8; 2] {
        [0, self as u8]
    }
}

/// What a call does to the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Nothing,
    Reads(Vec<Family>),
    Writes(Family),
    WritesAll,
    /// And whatever instances keep near.
    WritesEverywhere,
}

impl Access {
    pub(crate) fn reads(ids: &[SessionId]) -> Self {
        Self::Reads(ids.iter().map(Family::of).collect())
    }

    pub(crate) fn writes(id: &SessionId) -> Self {
        Self::Writes(Family::of(id))
    }

    /// Whether it matters in which order the two happen.
    pub(crate) fn conflicts(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::WritesEverywhere, _) | (_, Self::WritesEverywhere) => true,
            (Self::Nothing, _) | (_, Self::Nothing) | (Self::Reads(_), Self::Reads(_)) => false,
            (Self::WritesAll, _) | (_, Self::WritesAll) => true,
            (Self::Writes(one), Self::Writes(other)) => one == other,
            (Self::Writes(one), Self::Reads(of)) | (Self::Reads(of), Self::Writes(one)) => of.contains(one),
        }
    }
}

/// What becomes of a call that waits at the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Go,
    /// The store does not do it.
    Refuse,
    /// The store does it, and nobody hears the answer.
    Lose,
}

/// A call that waits at the gate.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) request: usize,
    pub(crate) name: &'static str,
    pub(crate) access: Access,
    go: oneshot::Sender<Verdict>,
}

/// Where calls of the store wait until it is decided who goes on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    is_closed: bool,
    waiting: Vec<Call>,
    /// The request that is being polled, and those that tasks which the layer has spawned work for.
    polled: usize,
    tasks: HashMap<task::Id, usize>,
}

impl Gate {
    /// From now on calls wait.
    pub(crate) fn close(&self) {
        self.inner().is_closed = true;
    }

    /// From now on nobody waits.
    pub(crate) fn open(&self) {
        self.inner().is_closed = false;
    }

    /// Says that this request is polled now: tasks that it spawns work for it.
    pub(crate) fn polls(&self, request: usize) {
        self.inner().polled = request;
    }

    /// Waits for the verdict; for which request the call is, if it had to wait.
    pub(crate) async fn wait(&self, name: &'static str, access: Access) -> (Verdict, Option<usize>) {
        let (go, verdict) = oneshot::channel();
        let request = {
            let mut inner = self.inner();
            if !inner.is_closed {
                return (Verdict::Go, None);
            }
            let polled = inner.polled;
            let request = match task::try_id() {
                Some(id) => *inner.tasks.entry(id).or_insert(polled),
                None => polled,
            };
            inner.waiting.push(Call {
                request,
                name,
                access,
                go,
            });
            request
        };
        (verdict.await.unwrap_or(Verdict::Refuse), Some(request))
    }

    /// The call of this request, if one waits that has not been given up.
    pub(crate) fn call<T>(&self, request: usize, look: impl FnOnce(&Call) -> T) -> Option<T> {
        let inner = self.inner();
        let mut calls = inner.waiting.iter().filter(|call| !call.go.is_closed());
        calls.find(|call| call.request == request).map(look)
    }

    /// Lets the call of this request go on.
    pub(crate) fn release(&self, request: usize, verdict: Verdict) {
        let mut inner = self.inner();
        inner.waiting.retain(|call| !call.go.is_closed());
        let call = inner.waiting.iter().position(|call| call.request == request);
        let call = inner.waiting.remove(call.expect("the call that is decided on waits"));
        drop(inner);
        let _ = call.go.send(verdict);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }
}
