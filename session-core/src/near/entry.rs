use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use quick_cache::Weighter;

use super::Reading;
use crate::{Loaded, Record, SessionId, Update, Version};

/// Nothing is kept for longer, whatever happens: so clocks that run at different speeds stay within a few milliseconds
/// of each other.
const MAX_AGE: Duration = Duration::from_secs(60);

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
}

impl Entry {
    pub(super) fn new(record: &Record, reading: Reading, passed: &[SessionId]) -> Self {
        Self {
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
        })
    }
}

/// Weighs what is kept, in bytes.
#[derive(Clone, Debug)]
pub(super) struct Weigh;

impl Weighter<SessionId, Arc<Entry>> for Weigh {
    fn weight(&self, _: &SessionId, entry: &Arc<Entry>) -> u64 {
        let data = entry.record.data.iter();
        let data: usize = data.map(|(key, value)| key.len() + value.len() + OVERHEAD / 8).sum();
        (OVERHEAD + data) as u64
    }
}
