use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use session_core::{
    Data, Delta, Error, Fate, Loaded, MemoryStore, NearCache, NearLink, NewSession, Page, Renewal, SessionId,
    SessionInfo, SessionStore, Update, Version, Watch,
};

use crate::{
    gate::{Access, Gate, Verdict},
    history::{Change, Event, History},
    plant::Plant,
};

/// What is told to a near cache of another instance's change.
#[derive(Clone, Debug)]
enum Told {
    Changed(SessionId),
    ChangedTo(SessionId, Version),
}

/// The server that both instances share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Server {
    pub(crate) memory: MemoryStore,
    pub(crate) gate: Gate,
    pub(crate) history: History,
    pub(crate) plant: Option<Plant>,
    /// The sessions whose tokens are old enough for a renewal by time.
    pub(crate) old: Arc<Mutex<Vec<SessionId>>>,
    /// What the instances have yet to be told.
    told: [Arc<Mutex<VecDeque<Told>>>; 2],
    /// What each request has read.
    read: Arc<Mutex<BTreeMap<Option<usize>, Data>>>,
}

/// A store as one instance has it: each call waits until it is decided that it happens and, with a near cache, until it
/// is decided that its answer is heard.
///
/// It keeps its near cache as the stores do that have one.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    pub(crate) server: Server,
    pub(crate) number: usize,
    near: Option<(NearCache, Arc<NearLink>)>,
}

impl Instance {
    pub(crate) fn new(server: &Server, number: usize, has_cache: bool) -> Self {
        let near = has_cache.then(|| {
            let cache = NearCache::new(1 << 16, NearCache::LEASE);
            let link = cache.link();
            // Longer than any schedule takes: time stands still.
            link.prove(Instant::now() + Duration::from_secs(3600));
            (cache, Arc::new(link))
        });
        Self {
            server: server.clone(),
            number,
            near,
        }
    }

    /// Whether there is something to be told.
    pub(crate) fn has_news(&self) -> bool {
        !self.server.told[self.number].lock().unwrap().is_empty()
    }

    /// Hears of the next change.
    pub(crate) fn hear(&self) {
        let told = self.server.told[self.number].lock().unwrap().pop_front();
        let Some((_, link)) = self.near.as_ref().filter(|_| !self.has(Plant::NearMisses)) else {
            return;
        };
        match told {
            Some(Told::Changed(id)) => link.changed(&id),
            Some(Told::ChangedTo(id, version)) => link.changed_to(&id, version),
            None => {}
        }
    }

    /// Whether what is kept near opens this id.
    pub(crate) fn keeps(&self, id: &SessionId) -> bool {
        let cache = self.near.as_ref();
        cache.is_some_and(|(cache, _)| cache.get(&[*id]).is_some())
    }

    /// The clock passes the end of all sessions, which everybody sees without being told.
    pub(crate) async fn expire(&self, both: &[Self; 2]) -> Result<(), Error> {
        let expire = async |_| {
            let caches = both.iter().filter_map(|instance| instance.near.as_ref());
            caches.for_each(|(cache, _)| cache.clear());
            self.server.memory.end_everyone().await
        };
        let change = |_: &u64| Some(Change::Expired);
        let expired = self.ask("expire", Access::WritesEverywhere, expire, change).await;
        expired.map(drop)
    }

    fn has(&self, plant: Plant) -> bool {
        self.server.plant == Some(plant)
    }

    /// Asks the server: `effect` happens at once, when it is decided, and `change` says what it was.
    async fn ask<T>(
        &self,
        name: &'static str,
        access: Access,
        effect: impl AsyncFnOnce(Option<usize>) -> Result<T, Error>,
        change: impl FnOnce(&T) -> Option<Change>,
    ) -> Result<T, Error> {
        let (verdict, request) = self.server.gate.wait(name, access).await;
        if verdict == Verdict::Refuse {
            return Err(Error::unavailable("refused"));
        }
        let outcome = effect(request).await;
        if let Some(change) = outcome.as_ref().ok().and_then(change) {
            let instance = self.number;
            self.server.history.add(Event::Done {
                request,
                instance,
                change,
            });
        }
        if self.near.is_some() {
            self.server.gate.wait("answer", Access::Nothing).await;
        }
        match verdict {
            Verdict::Lose => Err(Error::unknown("lost")),
            _ => outcome,
        }
    }

    /// Tells the other instance.
    fn tell(&self, told: Told) {
        if self.near.is_some() {
            self.server.told[1 - self.number].lock().unwrap().push_back(told);
        }
    }

    /// The id that a session has by now.
    async fn follow(memory: &MemoryStore, id: &SessionId) -> SessionId {
        let mut id = *id;
        while let Ok([Fate::Renewed(successor)]) = memory.fates(&[id]).await.as_deref() {
            id = *successor;
        }
        id
    }

    /// This update, as a request sends it that writes the whole record as it has read it.
    async fn whole(&self, id: &SessionId, update: &Update, request: Option<usize>) -> Update {
        let read = self.server.read.lock().unwrap().get(&request).cloned();
        let mut whole = update.clone();
        whole.expectation = None;
        if let Ok(Loaded::Live(_, record)) = self.server.memory.load(&[*id]).await {
            record.data.keys().for_each(|key| whole.delta.remove(key));
        }
        for (key, value) in self::whole(&read.unwrap_or_default(), &update.delta).sets() {
            whole.delta.set(key, value.clone()).unwrap();
        }
        whole
    }
}

/// What makes this data, and then these changes.
fn whole(data: &Data, changes: &Delta) -> Delta {
    let mut delta = Delta::default();
    let sets = data.iter().map(|(key, value)| (key.as_str(), value));
    for (key, value) in sets.chain(changes.sets()) {
        delta.set(key, value.clone()).unwrap();
    }
    delta
}

#[async_trait]
impl SessionStore for Instance {
    async fn create(&self, id: &SessionId, new: &NewSession) -> Result<Version, Error> {
        let create = async |_| {
            let memory = &self.server.memory;
            if self.has(Plant::CreateUpserts) {
                memory.end(id).await?;
            }
            memory.create(id, new).await
        };
        let change = |_: &Version| {
            let (user, delta) = (new.user.clone(), new.delta.clone());
            Some(Change::Created { id: *id, user, delta })
        };
        self.ask("create", Access::writes(id), create, change).await
    }

    async fn load(&self, ids: &[SessionId]) -> Result<Loaded, Error> {
        let reading = self.near.as_ref().map(|(cache, _)| cache.begin());
        let load = async |request| {
            let mut loaded = self.server.memory.load(ids).await?;
            if let Loaded::Live(id, record) = &mut loaded {
                if self.server.old.lock().unwrap().contains(id) {
                    record.renewed -= Duration::from_secs(60 * 60);
                }
                self.server.read.lock().unwrap().insert(request, record.data.clone());
            }
            Ok(loaded)
        };
        let change = |loaded: &Loaded| match loaded {
            Loaded::Live(id, _) => Some(Change::Loaded { id: *id }),
            _ => None,
        };
        let loaded = self.ask("load", Access::reads(ids), load, change).await?;
        if let Some((cache, _)) = &self.near {
            let late = self.has(Plant::NearKeepsLate).then(|| cache.begin());
            cache.keep(late.or(reading).unwrap(), ids, &loaded);
        }
        Ok(loaded)
    }

    async fn update(&self, id: &SessionId, update: &Update) -> Result<Version, Error> {
        let mut done = None;
        let change = async |request| {
            let memory = &self.server.memory;
            let real = if update.seal.is_none() {
                Self::follow(memory, id).await
            } else {
                *id
            };
            let mut update = update.clone();
            update.expectation = update.expectation.filter(|_| !self.has(Plant::UpdateExpectsNothing));
            let version = match memory.update(&real, &update).await {
                Err(Error::Ended) if self.has(Plant::UpdateInserts) => {
                    let new = NewSession::new(Default::default()).with_delta(update.delta.clone());
                    memory.create(&real, &new).await?
                }
                outcome => outcome?,
            };
            if self.has(Plant::UpdateMergesNothing) {
                memory.update(&real, &self.whole(&real, &update, request).await).await?;
            }
            done = Some((real, version));
            self.tell(Told::ChangedTo(real, version));
            Ok(version)
        };
        let changed = |_: &Version| {
            Some(Change::Updated {
                id: *id,
                delta: update.delta.clone(),
            })
        };
        // Dropped, they say that the session may have changed.
        let mut changing = self.near.as_ref().map(|(cache, _)| cache.change(id));
        let outcome = self.ask("update", Access::writes(id), change, changed).await;
        if self.has(Plant::NearForgetsOwn) {
            changing.into_iter().for_each(std::mem::forget);
            return outcome;
        }
        if let (Some((cache, _)), Some((real, version)), Ok(_)) = (&self.near, done, &outcome) {
            if real != *id {
                changing = Some(cache.change(&real));
            }
            changing.into_iter().for_each(|change| change.done(update, version));
        }
        outcome
    }

    async fn touch(&self, id: &SessionId) -> Result<(), Error> {
        let _changing = self.near.as_ref().map(|(cache, _)| cache.change(id));
        let touch = async |_| {
            self.server.memory.touch(id).await?;
            self.tell(Told::Changed(*id));
            Ok(())
        };
        self.ask("touch", Access::writes(id), touch, |()| None).await
    }

    async fn renew(&self, from: &SessionId, to: &SessionId, renewal: &Renewal) -> Result<Version, Error> {
        let _changing = self.near.as_ref().map(|(cache, _)| cache.change(from));
        let renew = async |_| {
            let memory = &self.server.memory;
            let version = match memory.load(&[*from]).await? {
                Loaded::Live(_, record) if self.has(Plant::RenewCopies) => {
                    let mut copy = NewSession::new(Default::default()).with_delta(whole(&record.data, &renewal.delta));
                    copy.user.clone_from(&renewal.user);
                    memory.create(to, &copy).await?
                }
                _ => memory.renew(from, to, renewal).await?,
            };
            self.tell(Told::Changed(*from));
            Ok(version)
        };
        let change = |_: &Version| {
            Some(Change::Renewed {
                from: *from,
                to: *to,
                user: renewal.user.clone(),
                delta: renewal.delta.clone(),
                is_login: renewal.login.is_some(),
                is_by_time: renewal.marker_nonce().is_some(),
            })
        };
        self.ask("renew", Access::writes(from), renew, change).await
    }

    async fn end(&self, id: &SessionId) -> Result<(), Error> {
        let mut changing = Vec::new();
        let end = async |_| {
            let memory = &self.server.memory;
            let real = Self::follow(memory, id).await;
            let missed = self.has(Plant::EndMissesRenewal) && real != *id;
            if !missed {
                memory.end(&real).await?;
                self.tell(Told::Changed(real));
            }
            changing.extend(self.near.as_ref().map(|(cache, _)| cache.change(&real)));
            Ok(())
        };
        let change = |(): &()| Some(Change::Ended { id: *id });
        let _changing = self.near.as_ref().map(|(cache, _)| cache.change(id));
        self.ask("end", Access::writes(id), end, change).await
    }

    async fn of_user(&self, user: &str, page: &Page) -> Result<Vec<SessionInfo>, Error> {
        let list = async |_| self.server.memory.of_user(user, page).await;
        self.ask("of_user", Access::WritesAll, list, |_| None).await
    }

    async fn end_all(&self, user: &str, except: Option<&SessionId>) -> Result<u64, Error> {
        let _changing = self.near.as_ref().map(|(cache, _)| cache.change_any());
        let listed = if self.has(Plant::EndAllMissesRenewal) {
            Some(self.of_user(user, &Page::default()).await?)
        } else {
            None
        };
        let end = async |_| {
            let memory = &self.server.memory;
            let ended = memory.of_user(user, &Page::default()).await?;
            let count = match listed {
                Some(listed) => {
                    let of_list = ended.iter().filter(|info| listed.iter().any(|old| old.id == info.id));
                    for info in of_list.filter(|info| Some(&info.id) != except) {
                        memory.end(&info.id).await?;
                    }
                    0
                }
                None => memory.end_all(user, except).await?,
            };
            for info in ended {
                self.tell(Told::Changed(info.id));
            }
            Ok(count)
        };
        let change = |_: &u64| {
            let (user, except) = (user.to_owned(), except.copied());
            Some(Change::EndedAll { user, except })
        };
        self.ask("end_all", Access::WritesAll, end, change).await
    }

    async fn end_everyone(&self) -> Result<u64, Error> {
        self.server.memory.end_everyone().await
    }

    async fn purge(&self, limit: u32) -> Result<u64, Error> {
        self.server.memory.purge(limit).await
    }

    async fn ping(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn fates(&self, ids: &[SessionId]) -> Result<Vec<Fate>, Error> {
        self.server.memory.fates(ids).await
    }

    fn watch(&self) -> &Watch {
        self.server.memory.watch()
    }

    fn near_cache(&self) -> Option<&NearCache> {
        self.near.as_ref().map(|(cache, _)| cache)
    }
}
