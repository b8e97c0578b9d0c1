use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use session_core::{
    Error, Fate, Loaded, NearCache, NewSession, Page, Renewal, SessionId, SessionInfo, SessionStore, Update, Version,
    Watch,
};

use super::barrier::Barrier;

/// A store to which happens what the test says, once each.
#[derive(Debug)]
pub(super) struct Staged {
    inner: Arc<dyn SessionStore>,
    cues: Mutex<Vec<(Call, Cue)>>,
    calls: Mutex<Vec<Call>>,
    created: Mutex<Vec<SessionId>>,
}

/// A method of the store that the tests have cues for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Call {
    Create,
    End,
    EndAll,
    Renew,
    Update,
}

/// What happens to a call.
#[derive(Debug)]
pub(super) enum Cue {
    /// It waits before it is done, and again before it is answered.
    Hold(Barrier, Barrier),
    /// It is done, and the answer is lost.
    LoseAnswer,
    /// It is lost, and not done.
    LoseCall,
}

impl Staged {
    pub(super) fn new(inner: Arc<dyn SessionStore>) -> Self {
        Self {
            inner,
            cues: Mutex::default(),
            calls: Mutex::default(),
            created: Mutex::default(),
        }
    }

    /// Has `cue` happen to the next `call`.
    pub(super) fn cue(&self, call: Call, cue: Cue) {
        self.cues.lock().unwrap().push((call, cue));
    }

    /// Holds the next `call` before it is done.
    pub(super) fn hold_before(&self, call: Call) -> Barrier {
        let (before, after) = self.hold_around(call);
        after.open();
        before
    }

    /// Holds the next `call` before it is done, and before it is answered.
    pub(super) fn hold_around(&self, call: Call) -> (Barrier, Barrier) {
        let (before, after) = (Barrier::new(), Barrier::new());
        self.cue(call, Cue::Hold(before.clone(), after.clone()));
        (before, after)
    }

    /// How often `call` was made.
    pub(super) fn count(&self, call: Call) -> usize {
        self.calls.lock().unwrap().iter().filter(|made| **made == call).count()
    }

    /// The ids that sessions were to be created under, each once.
    pub(super) fn created(&self) -> Vec<SessionId> {
        self.created.lock().unwrap().clone()
    }

    async fn perform<T>(&self, call: Call, deed: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        self.calls.lock().unwrap().push(call);
        let cue = {
            let mut cues = self.cues.lock().unwrap();
            let next = cues.iter().position(|(cued, _)| *cued == call);
            next.map(|next| cues.remove(next).1)
        };
        match cue {
            None => deed.await,
            Some(Cue::Hold(before, after)) => {
                before.wait().await;
                let done = deed.await;
                after.wait().await;
                done
            }
            Some(Cue::LoseAnswer) => {
                deed.await?;
                Err(Error::unknown("the test lost the answer"))
            }
            Some(Cue::LoseCall) => Err(Error::unknown("the test lost the call")),
        }
    }
}

#[async_trait]
impl SessionStore for Staged {
    async fn create(&self, id: &SessionId, new: &NewSession) -> Result<Version, Error> {
        {
            let mut created = self.created.lock().unwrap();
            if !created.contains(id) {
                created.push(*id);
            }
        }
        self.perform(Call::Create, self.inner.create(id, new)).await
    }

    async fn load(&self, ids: &[SessionId]) -> Result<Loaded, Error> {
        self.inner.load(ids).await
    }

    async fn update(&self, id: &SessionId, update: &Update) -> Result<Version, Error> {
        self.perform(Call::Update, self.inner.update(id, update)).await
    }

    async fn touch(&self, id: &SessionId) -> Result<(), Error> {
        self.inner.touch(id).await
    }

    async fn renew(&self, from: &SessionId, to: &SessionId, renewal: &Renewal) -> Result<Version, Error> {
        self.perform(Call::Renew, self.inner.renew(from, to, renewal)).await
    }

    async fn end(&self, id: &SessionId) -> Result<(), Error> {
        self.perform(Call::End, self.inner.end(id)).await
    }

    async fn of_user(&self, user: &str, page: &Page) -> Result<Vec<SessionInfo>, Error> {
        self.inner.of_user(user, page).await
    }

    async fn end_all(&self, user: &str, except: Option<&SessionId>) -> Result<u64, Error> {
        self.perform(Call::EndAll, self.inner.end_all(user, except)).await
    }

    async fn end_everyone(&self) -> Result<u64, Error> {
        self.inner.end_everyone().await
    }

    async fn purge(&self, limit: u32) -> Result<u64, Error> {
        self.inner.purge(limit).await
    }

    async fn ping(&self) -> Result<(), Error> {
        self.inner.ping().await
    }

    async fn fates(&self, ids: &[SessionId]) -> Result<Vec<Fate>, Error> {
        self.inner.fates(ids).await
    }

    fn watch(&self) -> &Watch {
        self.inner.watch()
    }

    fn near_cache(&self) -> Option<&NearCache> {
        self.inner.near_cache()
    }
}
