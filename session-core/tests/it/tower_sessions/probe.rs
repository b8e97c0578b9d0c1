use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use session_core::{
    Error, Loaded, MemoryStore, NewSession, Page, Renewal, SessionId, SessionInfo, SessionStore, Update, Version,
};
use tokio::sync::oneshot;

/// A store in memory that tells which calls were made, and that fails or holds a call on demand.
#[derive(Clone, Debug, Default)]
pub(super) struct Probe {
    pub(super) inner: MemoryStore,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    calls: Vec<&'static str>,
    failing: Vec<&'static str>,
    gate: Option<Gate>,
}

#[derive(Debug)]
struct Gate {
    call: &'static str,
    reached: oneshot::Sender<()>,
    released: oneshot::Receiver<()>,
}

/// A call that waits, before it does anything, until it is released.
pub(super) struct Held {
    reached: oneshot::Receiver<()>,
    release: oneshot::Sender<()>,
}

impl Held {
    pub(super) async fn reached(&mut self) {
        (&mut self.reached).await.unwrap();
    }

    pub(super) fn release(self) {
        self.release.send(()).unwrap();
    }
}

pub(super) const ALL: &[&str] = &["create", "load", "update", "touch", "renew", "end"];

impl Probe {
    /// The calls since the last time.
    pub(super) fn calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.state.lock().unwrap().calls)
    }

    /// Makes these calls fail, and no others.
    pub(super) fn fail(&self, calls: &[&'static str]) {
        self.state.lock().unwrap().failing = calls.to_vec();
    }

    /// Holds the next call of this name.
    pub(super) fn hold(&self, call: &'static str) -> Held {
        let (reaching, reached) = oneshot::channel();
        let (release, released) = oneshot::channel();
        self.state.lock().unwrap().gate = Some(Gate {
            call,
            reached: reaching,
            released,
        });
        Held { reached, release }
    }

    pub(super) async fn users_sessions(&self, user: &str) -> Vec<SessionId> {
        let sessions = self.inner.of_user(user, &Page::default()).await.unwrap();
        sessions.into_iter().map(|session| session.id).collect()
    }

    async fn enter(&self, call: &'static str) -> Result<(), Error> {
        let gate = {
            let mut state = self.state.lock().unwrap();
            state.calls.push(call);
            if state.failing.contains(&call) {
                return Err(Error::unavailable("the probe was told to fail"));
            }
            state.gate.take_if(|gate| gate.call == call)
        };
        if let Some(gate) = gate {
            gate.reached.send(()).unwrap();
            gate.released.await.unwrap();
        }
        Ok(())
    }
}

#[async_trait]
impl SessionStore for Probe {
    async fn create(&self, id: &SessionId, new: &NewSession) -> Result<Version, Error> {
        self.enter("create").await?;
        self.inner.create(id, new).await
    }

    async fn load(&self, ids: &[SessionId]) -> Result<Loaded, Error> {
        self.enter("load").await?;
        self.inner.load(ids).await
    }

    async fn update(&self, id: &SessionId, update: &Update) -> Result<Version, Error> {
        self.enter("update").await?;
        self.inner.update(id, update).await
    }

    async fn touch(&self, id: &SessionId) -> Result<(), Error> {
        self.enter("touch").await?;
        self.inner.touch(id).await
    }

    async fn renew(&self, from: &SessionId, to: &SessionId, renewal: &Renewal) -> Result<Version, Error> {
        self.enter("renew").await?;
        self.inner.renew(from, to, renewal).await
    }

    async fn end(&self, id: &SessionId) -> Result<(), Error> {
        self.enter("end").await?;
        self.inner.end(id).await
    }

    async fn of_user(&self, user: &str, page: &Page) -> Result<Vec<SessionInfo>, Error> {
        self.inner.of_user(user, page).await
    }

    async fn end_all(&self, user: &str, except: Option<&SessionId>) -> Result<u64, Error> {
        self.inner.end_all(user, except).await
    }

    async fn purge(&self, limit: u32) -> Result<u64, Error> {
        self.inner.purge(limit).await
    }

    async fn ping(&self) -> Result<(), Error> {
        self.inner.ping().await
    }
}
