use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use quick_cache::Weighter;

use super::Reading;
use crate::{Loaded, Record, SessionId, Update, Version};

/// Nothing is kept for longer: so what nobody told of, such as a session that the server has thrown out for want of
/// memory, is noticed. It costs a session that is read all the time one load in so long.
const MAX_AGE: Duration = Duration::from_secs(10);

/// About what a record takes beside its keys and values, in bytes.
const OVERHEAD: usize = 512;

/// A session as it was read, or as it became by changes of this instance's.
#[derive(Debug)]
pub(super) struct Entry {
    record: Record,
    /// The load that it is from.
    pub(super) reading: Reading,
    /// Ids that were asked for before it, and were no live sessions. None of them will be one again.
    passed: Vec<SessionId>,
    /// The bytes that it takes at least: its values may be parts of an answer that stays as long as any of them.
    least: usize,
}

impl Entry {
    pub(super) fn new(record: &Record, reading: Reading, passed: &[SessionId]) -> Self {
        Self {
            least: weight(record),
            record: record.clone(),
            reading,
            passed: passed.to_vec(),
        }
    }

    pub(super) const fn version(&self) -> Version {
        self.record.version
    }

    /// Whether a load that asks for these ids first comes as far as this one.
    pub(super) fn comes_after(&self, ids: &[SessionId]) -> bool {
        ids.iter().all(|id| self.passed.contains(id))
    }

    /// What a load would answer now; nothing if that takes the store to tell.
    ///
    /// The store's clock read no later than now, for it was at the record's time after the load began. Another instance
    /// may have put off the end of a session, or its lock, so only the store calls it over.
    pub(super) fn load(&self, id: &SessionId, now: Instant) -> Option<Loaded> {
        let age = now.saturating_duration_since(self.reading.began);
        let time = self.record.loaded_at + age;
        if age >= MAX_AGE || time >= self.record.expires() || self.record.is_locked(time) {
            return None;
        }
        let mut record = self.record.clone();
        record.loaded_at = time;
        Some(Loaded::Live(*id, Box::new(record)))
    }

    /// The session after a change of this instance's that made this version of it; nothing if that takes the store to
    /// tell.
    pub(super) fn after(&self, update: &Update, version: Version) -> Option<Self> {
        let follows = version.0 == self.record.version.0 + 1;
        if !follows || update.touch || update.seal.is_some() {
            return None;
        }
        let mut record = self.record.clone();
        update.delta.apply_to(&mut record.data);
        record.version = version;
        Some(Self {
            record,
            reading: self.reading,
            passed: self.passed.clone(),
            least: self.least,
        })
    }
}

/// Weighs what is kept, in bytes.
#[derive(Clone, Debug)]
pub(super) struct Weigh;

impl Weighter<SessionId, Arc<Entry>> for Weigh {
    fn weight(&self, _: &SessionId, entry: &Arc<Entry>) -> u64 {
        weight(&entry.record).max(entry.least) as u64
    }
}

fn weight(record: &Record) -> usize {
    let data = record.data.iter();
    let data = data.map(|(key, value)| key.len() + value.len() + OVERHEAD / 8);
    OVERHEAD + data.sum::<usize>()
}
