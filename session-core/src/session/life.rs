use std::time::{Duration, Instant};

use time::OffsetDateTime;

use crate::{Lifetime, Record};

/// How long a request's session still has, as far as the request knows: by the store's times, and the time since they
/// were told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Life {
    as_of: Instant,
    /// After how long without a request it ends or is locked.
    idle: Duration,
    /// How long it had not been used, if this request changes nothing of that.
    unused: Duration,
    /// Whether this request counts as activity.
    is_touched: bool,
    absolute_left: Duration,
    login_age: Duration,
}

impl Life {
    pub(super) fn of(record: &Record, is_touched: bool) -> Self {
        let now = record.loaded_at;
        let since = |time: OffsetDateTime| Duration::try_from(now - time).unwrap_or_default();
        Self {
            as_of: Instant::now(),
            idle: sooner(record.idle_timeout, record.lock),
            unused: since(record.last_seen),
            is_touched,
            absolute_left: (record.absolute_end - now).try_into().unwrap_or_default(),
            login_age: since(record.authenticated()),
        }
    }

    /// Of a session that begins, whose user showed who they are at this time, if not now.
    pub(super) fn begun(lifetime: &Lifetime, authenticated: Option<OffsetDateTime>) -> Self {
        let age = authenticated.map(|time| OffsetDateTime::now_utc() - time);
        Self {
            as_of: Instant::now(),
            idle: sooner(lifetime.idle, lifetime.lock),
            unused: Duration::ZERO,
            is_touched: true,
            absolute_left: lifetime.absolute,
            login_age: age.and_then(|age| age.try_into().ok()).unwrap_or_default(),
        }
    }

    /// After a renewal, which is activity and moves nothing else.
    pub(super) fn renewed(&self) -> Self {
        let passed = self.as_of.elapsed();
        Self {
            as_of: Instant::now(),
            idle: self.idle,
            unused: Duration::ZERO,
            is_touched: true,
            absolute_left: self.absolute_left.saturating_sub(passed),
            login_age: self.login_age.saturating_add(passed),
        }
    }

    /// The same, of a request that does not count as activity.
    pub(super) fn untouched(&self) -> Self {
        Self {
            is_touched: false,
            ..*self
        }
    }

    pub(super) fn left(&self) -> Duration {
        let unused = if self.is_touched { Duration::ZERO } else { self.unused };
        self.idle
            .saturating_sub(unused)
            .min(self.absolute_left)
            .saturating_sub(self.as_of.elapsed())
    }

    pub(super) fn login_age(&self) -> Duration {
        self.login_age.saturating_add(self.as_of.elapsed())
    }
}

fn sooner(idle: Duration, lock: Option<Duration>) -> Duration {
    lock.map_or(idle, |lock| lock.min(idle))
}
