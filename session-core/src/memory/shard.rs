use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use time::OffsetDateTime;

use crate::{
    Data, Error, Expectation, Fate, Loaded, Marker, NewSession, Page, Record, Renewal, RenewalNonce, SessionId,
    SessionInfo, Update, Version, WatchLink,
};

/// How long a marker stands.
pub(super) const MARKER_LIFE: Duration = Duration::from_secs(5 * 60);

/// The sessions with some of the shard tags. Whoever holds its lock sees each operation whole; since a renewal keeps
/// the tag, old and new id are in one shard.
#[derive(Debug)]
pub(super) struct Shard {
    slots: HashMap<SessionId, Slot>,
    users: HashMap<String, BTreeSet<SessionId>>,
    /// How many slots there may be before a creation looks for expired ones.
    sweep_at: usize,
    /// Who is told what happens to sessions, while the lock is held: so in the order in which it happens.
    link: Arc<WatchLink>,
}

#[derive(Debug)]
enum Slot {
    Live(Box<Record>),
    Marker {
        successor: SessionId,
        by_login: bool,
        nonce: Option<RenewalNonce>,
        until: OffsetDateTime,
    },
}

impl Slot {
    /// The record, of a session that is alive.
    fn live(&self, now: OffsetDateTime) -> Option<&Record> {
        match self {
            Self::Live(record) if now < record.expires() => Some(record),
            Self::Live(_) | Self::Marker { .. } => None,
        }
    }

    fn expired(&self, now: OffsetDateTime) -> bool {
        now >= match self {
            Self::Live(record) => record.expires(),
            Self::Marker { until, .. } => *until,
        }
    }
}

impl Shard {
    pub(super) fn new(link: &Arc<WatchLink>) -> Self {
        Self {
            slots: HashMap::new(),
            users: HashMap::new(),
            sweep_at: 0,
            link: Arc::clone(link),
        }
    }

    pub(super) fn create(&mut self, now: OffsetDateTime, id: &SessionId, new: &NewSession) -> Result<Version, Error> {
        let mut record = Record::new(now, new.lifetime.idle, end_of(now, new.lifetime.absolute));
        new.delta.apply_to(&mut record.data);
        record.user.clone_from(&new.user);
        record.lock = new.lifetime.lock;
        record.renewal = new.lifetime.renewal;
        record.about.clone_from(&new.about);
        record.seal.clone_from(&new.seal);
        check_size(&record.data, new.max_size)?;
        self.sweep_if_grown(now);
        match self.slots.get(id).filter(|slot| !slot.expired(now)) {
            None => {}
            Some(Slot::Live(old)) if is_same_creation(old, &record) => return Ok(old.version),
            Some(_) => return Err(Error::IdInUse),
        }
        self.forget(id);
        self.insert(*id, record);
        Ok(Version(1))
    }

    pub(super) fn load(&self, now: OffsetDateTime, id: &SessionId) -> Loaded {
        match self.slots.get(id) {
            Some(Slot::Marker {
                successor,
                nonce,
                until,
                ..
            }) if now < *until => {
                let mut marker = Marker::new(*id, *successor);
                marker.nonce = *nonce;
                marker.age = MARKER_LIFE - Duration::try_from(*until - now).unwrap_or_default();
                Loaded::Renewed(marker)
            }
            slot => slot.and_then(|slot| slot.live(now)).map_or(Loaded::Missing, |record| {
                let mut record = Box::new(record.clone());
                record.loaded_at = now;
                Loaded::Live(*id, record)
            }),
        }
    }

    pub(super) fn fate(&self, now: OffsetDateTime, id: &SessionId) -> Fate {
        match self.slots.get(id) {
            Some(Slot::Marker {
                successor,
                by_login: false,
                until,
                ..
            }) if now < *until => Fate::Renewed(*successor),
            slot => match slot.and_then(|slot| slot.live(now)) {
                None => Fate::Ended,
                Some(record) if record.is_locked(now) => Fate::Locked,
                Some(record) => {
                    let locks = record.lock.map(|lock| end_of(record.last_seen, lock));
                    let until = locks.map_or(record.expires(), |locks| locks.min(record.expires()));
                    Fate::Live((until - now).try_into().unwrap_or_default())
                }
            },
        }
    }

    pub(super) fn update(&mut self, now: OffsetDateTime, id: &SessionId, update: &Update) -> Result<Version, Error> {
        let id = match update.seal {
            None => self.follow(now, id),
            Some(_) => *id,
        };
        let record = self.unlocked(now, &id)?;
        if let Some(Expectation { key, value }) = &update.expectation {
            let current = record.data.get(key);
            if current != value.as_ref() {
                return Err(Error::Conflict {
                    current: current.cloned(),
                });
            }
        }
        let mut data = record.data.clone();
        update.delta.apply_to(&mut data);
        check_size(&data, update.max_size)?;
        record.data = data;
        record.version.0 += 1;
        if record.seal.is_none() {
            record.seal.clone_from(&update.seal);
        }
        if update.touch {
            record.last_seen = now;
        }
        Ok(record.version)
    }

    pub(super) fn touch(&mut self, now: OffsetDateTime, id: &SessionId) -> Result<(), Error> {
        self.unlocked(now, id)?.last_seen = now;
        Ok(())
    }

    pub(super) fn renew(
        &mut self,
        now: OffsetDateTime,
        from: &SessionId,
        to: &SessionId,
        renewal: &Renewal,
    ) -> Result<Version, Error> {
        if let Some(Slot::Marker { successor, until, .. }) = self.slots.get(from)
            && successor == to
            && now < *until
        {
            return self.live(now, to).map(|record| record.version);
        }
        let mut record = Record::clone(self.live(now, from)?);
        if renewal.login.is_none() && record.user != renewal.user {
            return Err(Error::Ended);
        } else if renewal.login.is_none() && record.is_locked(now) {
            return Err(Error::Locked);
        }
        if self.slots.get(to).is_some_and(|slot| !slot.expired(now)) {
            return Err(Error::IdInUse);
        }
        if renewal.is_handover(record.user.as_deref()) {
            record.data = Data::new();
        } else if renewal.seal.is_none() && record.seal.is_some() {
            return Err(Error::Ended);
        }
        renewal.delta.apply_to(&mut record.data);
        check_size(&record.data, renewal.max_size)?;
        record.version.0 += 1;
        record.last_seen = now;
        record.renewed = now;
        record.user.clone_from(&renewal.user);
        record.seal.clone_from(&renewal.seal);
        if let Some(login) = &renewal.login {
            record.created = now;
            record.idle_timeout = login.lifetime.idle;
            record.absolute_end = end_of(now, login.lifetime.absolute);
            record.lock = login.lifetime.lock;
            record.renewal = login.lifetime.renewal;
            record.about.clone_from(&login.about);
        }
        let version = record.version;
        self.forget(from);
        self.forget(to);
        self.insert(*to, record);
        let marker = Slot::Marker {
            successor: *to,
            by_login: renewal.login.is_some(),
            nonce: renewal.marker_nonce().copied(),
            until: now + MARKER_LIFE,
        };
        self.slots.insert(*from, marker);
        if renewal.login.is_some() {
            self.link.ended(from);
        } else {
            self.link.renewed(from, to);
        }
        Ok(version)
    }

    pub(super) fn end(&mut self, now: OffsetDateTime, id: &SessionId) {
        let id = self.follow(now, id);
        if matches!(self.slots.get(&id), Some(Slot::Live(_))) {
            self.forget(&id);
            self.link.ended(&id);
        }
    }

    pub(super) fn of_user(&self, now: OffsetDateTime, user: &str, page: &Page) -> Vec<SessionInfo> {
        let ids = self.users.get(user).into_iter().flatten();
        ids.filter(|id| page.after.is_none_or(|after| **id > after))
            .filter_map(|id| Some(SessionInfo::of(*id, self.slots.get(id)?.live(now)?)))
            .take(page.limit as usize)
            .collect()
    }

    /// When a user's live sessions of a class began, and their ids. Locked ones have idled out and do not count.
    pub(super) fn of_class(&self, now: OffsetDateTime, user: &str, class: &str) -> Vec<(OffsetDateTime, SessionId)> {
        let ids = self.users.get(user).into_iter().flatten();
        ids.filter_map(|id| Some((id, self.slots.get(id)?.live(now)?)))
            .filter(|(_, record)| record.about.class == class && !record.is_locked(now))
            .map(|(id, record)| (record.created, *id))
            .collect()
    }

    pub(super) fn end_all(&mut self, now: OffsetDateTime, user: &str, except: Option<&SessionId>) -> u64 {
        let except = except.map(|id| self.follow(now, id));
        let mut ids = self.users.get(user).cloned().unwrap_or_default();
        ids.retain(|id| Some(*id) != except);
        let is_live = |id: &&SessionId| self.slots.get(id).is_some_and(|slot| slot.live(now).is_some());
        let live = ids.iter().filter(is_live).count();
        for id in &ids {
            self.forget(id);
            self.link.ended(id);
        }
        live as u64
    }

    pub(super) fn end_everyone(&mut self, now: OffsetDateTime) -> u64 {
        let is_live = |slot: &Slot| slot.live(now).is_some();
        let live = self.slots.iter().filter(|(_, slot)| is_live(slot));
        let ids: Vec<SessionId> = live.map(|(id, _)| *id).collect();
        for id in &ids {
            self.forget(id);
            self.link.ended(id);
        }
        ids.len() as u64
    }

    pub(super) fn purge(&mut self, now: OffsetDateTime, limit: usize) -> usize {
        let expired = self.slots.iter().filter(|(_, slot)| slot.expired(now));
        let ids: Vec<SessionId> = expired.map(|(id, _)| *id).take(limit).collect();
        for id in &ids {
            self.forget(id);
        }
        ids.len()
    }

    /// Keeps an app that never purges from growing without bound, at a constant cost a creation.
    fn sweep_if_grown(&mut self, now: OffsetDateTime) {
        if self.slots.len() >= self.sweep_at {
            self.purge(now, usize::MAX);
            self.sweep_at = 2 * self.slots.len() + 16;
        }
    }

    /// The id that the session with this id has by now, if renewals that were no login have changed it.
    fn follow(&self, now: OffsetDateTime, id: &SessionId) -> SessionId {
        let mut id = *id;
        while let Some(Slot::Marker {
            successor,
            by_login: false,
            until,
            ..
        }) = self.slots.get(&id)
            && now < *until
        {
            id = *successor;
        }
        id
    }

    #[cfg(test)]
    pub(super) fn slots(&self) -> usize {
        self.slots.len()
    }

    #[cfg(test)]
    pub(super) fn users(&self) -> usize {
        self.users.len()
    }

    fn live(&mut self, now: OffsetDateTime, id: &SessionId) -> Result<&mut Record, Error> {
        match self.slots.get_mut(id) {
            Some(slot) if slot.expired(now) => Err(Error::Ended),
            Some(Slot::Live(record)) => Ok(record),
            Some(Slot::Marker { .. }) | None => Err(Error::Ended),
        }
    }

    /// The record of a session that may be changed.
    fn unlocked(&mut self, now: OffsetDateTime, id: &SessionId) -> Result<&mut Record, Error> {
        match self.live(now, id) {
            Ok(record) if record.is_locked(now) => Err(Error::Locked),
            found => found,
        }
    }

    fn insert(&mut self, id: SessionId, record: Record) {
        if let Some(user) = &record.user {
            self.users.entry(user.clone()).or_default().insert(id);
        }
        self.slots.insert(id, Slot::Live(Box::new(record)));
    }

    fn forget(&mut self, id: &SessionId) {
        let Some(Slot::Live(record)) = self.slots.remove(id) else {
            return;
        };
        let Some(user) = record.user else {
            return;
        };
        if let Some(ids) = self.users.get_mut(&user) {
            ids.remove(id);
            if ids.is_empty() {
                self.users.remove(&user);
            }
        }
    }
}

fn is_same_creation(old: &Record, new: &Record) -> bool {
    old.version == Version(1)
        && old.data == new.data
        && old.user == new.user
        && old.about == new.about
        && old.seal == new.seal
}

pub(super) fn end_of(now: OffsetDateTime, life: Duration) -> OffsetDateTime {
    now.saturating_add(life.try_into().unwrap_or(time::Duration::MAX))
}

fn check_size(data: &Data, limit: u64) -> Result<(), Error> {
    let size = data.iter().map(|(key, value)| (key.len() + value.len()) as u64).sum();
    if size > limit {
        return Err(Error::TooLarge { size, limit });
    }
    Ok(())
}
