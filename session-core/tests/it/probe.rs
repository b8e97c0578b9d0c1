//! A memory store that counts its calls and can be put into trouble.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use session_core::{
    Error, Fate, Loaded, MemoryStore, NearCache, NewSession, Page, Renewal, SessionId, SessionInfo, SessionStore,
    Update, Version, Watch,
};
use tokio::sync::{Barrier, Notify};

#[derive(Clone, Debug)]
pub(crate) enum Trouble {
    /// Answers that it is down.
    Down,
    /// Never answers.
    Hang,
    /// Waits, once, before it does what it is asked.
    Hold(Held),
    /// Does what it is asked, and then says that nobody knows, this many times.
    LoseAcknowledgement(u32),
    /// Waits at the barrier before it does what it is asked, and again after it.
    Pause(Arc<Barrier>),
}

/// A call that waits until it is released.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    reached: Arc<Notify>,
    released: Arc<Notify>,
}

impl Held {
    pub(crate) async fn reached(&self) {
        let reached = tokio::time::timeout(Duration::from_secs(10), self.reached.notified());
        reached.await.expect("the call that was to be held is never made");
    }

    pub(crate) fn release(&self) {
        self.released.notify_one();
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Probe {
    pub(crate) store: MemoryStore,
    log: Arc<Mutex<Vec<&'static str>>>,
    troubles: Arc<Mutex<BTreeMap<&'static str, Trouble>>>,
    /// How much older than they are markers say that they are.
    marker_age: Arc<Mutex<Duration>>,
    /// The ids of all sessions so far, and of those whose tokens say that they are an hour older than they are.
    ids: Arc<Mutex<[BTreeSet<SessionId>; 2]>>,
}

impl Probe {
    /// How often each method was called since the last time this was asked.
    pub(crate) fn calls(&self) -> Vec<(&'static str, u32)> {
        let mut calls = BTreeMap::new();
        for method in self.log() {
            *calls.entry(method).or_default() += 1;
        }
        calls.into_iter().collect()
    }

    /// The methods called since the last time, in order.
    pub(crate) fn log(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }

    /// Holds the next call of `method` before it does what it is asked.
    pub(crate) fn hold(&self, method: &'static str) -> Held {
        let held = Held::default();
        self.trouble(method, Trouble::Hold(held.clone()));
        held
    }

    pub(crate) fn trouble(&self, method: &'static str, trouble: Trouble) {
        self.troubles.lock().unwrap().insert(method, trouble);
    }

    /// Lets an hour pass for the tokens that there are, and not for those that come.
    pub(crate) fn age_tokens(&self) {
        let mut ids = self.ids.lock().unwrap();
        ids[1] = ids[0].clone();
    }

    /// Lets this time pass for markers.
    pub(crate) fn age_markers(&self, by: Duration) {
        *self.marker_age.lock().unwrap() += by;
    }

    pub(crate) fn all_down(&self) {
        for method in ["create", "load", "update", "touch", "renew", "end", "fates"] {
            self.trouble(method, Trouble::Down);
        }
    }

    pub(crate) fn recover(&self) {
        self.troubles.lock().unwrap().clear();
    }

    /// What was found, as if the time that was let pass had passed.
    fn aged(&self, mut loaded: Loaded) -> Loaded {
        match &mut loaded {
            Loaded::Renewed(marker) => marker.age += *self.marker_age.lock().unwrap(),
            Loaded::Live(id, record) if self.ids.lock().unwrap()[1].contains(id) => {
                record.renewed -= Duration::from_secs(60 * 60);
            }
            _ => {}
        }
        loaded
    }

    async fn run<T>(&self, method: &'static str, call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        self.log.lock().unwrap().push(method);
        let trouble = self.troubles.lock().unwrap().get(method).cloned();
        match trouble {
            None => call.await,
            Some(Trouble::Down) => Err(Error::unavailable("out of order")),
            Some(Trouble::Hang) => pending().await,
            Some(Trouble::Hold(held)) => {
                self.troubles.lock().unwrap().remove(method);
                held.reached.notify_one();
                held.released.notified().await;
                call.await
            }
            Some(Trouble::Pause(barrier)) => {
                barrier.wait().await;
                let outcome = call.await;
                barrier.wait().await;
                outcome
            }
            Some(Trouble::LoseAcknowledgement(times)) => {
                let outcome = call.await;
                if times == 0 {
                    return outcome;
                }
                self.trouble(method, Trouble::LoseAcknowledgement(times - 1));
                outcome.and_then(|_| Err(Error::unknown("the answer was lost")))
            }
        }
    }
}

#[async_trait]
impl SessionStore for Probe {
    async fn create(&self, id: &SessionId, new: &NewSession) -> Result<Version, Error> {
        self.ids.lock().unwrap()[0].insert(*id);
        self.run("create", self.store.create(id, new)).await
    }

    async fn load(&self, ids: &[SessionId]) -> Result<Loaded, Error> {
        self.run("load", async {
            let mut found = Vec::new();
            for id in ids {
                found.push(self.aged(self.store.load(&[*id]).await?));
            }
            Ok(Loaded::first(ids, found))
        })
        .await
    }

    async fn update(&self, id: &SessionId, update: &Update) -> Result<Version, Error> {
        self.run("update", self.store.update(id, update)).await
    }

    async fn touch(&self, id: &SessionId) -> Result<(), Error> {
        self.run("touch", self.store.touch(id)).await
    }

    async fn renew(&self, from: &SessionId, to: &SessionId, renewal: &Renewal) -> Result<Version, Error> {
        self.ids.lock().unwrap()[0].insert(*to);
        self.run("renew", self.store.renew(from, to, renewal)).await
    }

    async fn end(&self, id: &SessionId) -> Result<(), Error> {
        self.run("end", self.store.end(id)).await
    }

    async fn of_user(&self, user: &str, page: &Page) -> Result<Vec<SessionInfo>, Error> {
        self.run("of_user", self.store.of_user(user, page)).await
    }

    async fn end_all(&self, user: &str, except: Option<&SessionId>) -> Result<u64, Error> {
        self.run("end_all", self.store.end_all(user, except)).await
    }

    async fn end_everyone(&self) -> Result<u64, Error> {
        self.run("end_everyone", self.store.end_everyone()).await
    }

    async fn purge(&self, limit: u32) -> Result<u64, Error> {
        self.run("purge", self.store.purge(limit)).await
    }

    async fn ping(&self) -> Result<(), Error> {
        self.run("ping", self.store.ping()).await
    }

    async fn fates(&self, ids: &[SessionId]) -> Result<Vec<Fate>, Error> {
        self.run("fates", self.store.fates(ids)).await
    }

    fn watch(&self) -> &Watch {
        self.store.watch()
    }

    fn near_cache(&self) -> Option<&NearCache> {
        self.store.near_cache()
    }
}
