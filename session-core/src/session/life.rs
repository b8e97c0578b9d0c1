use std::time::{Duration, Instant};

use time::OffsetDateTime;

use crate::{Lifetime, Record};

/// How long a request's session still has, as far as the request knows: by the store's times, and the time since they
/// were told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Life {
    /// What the store's clock said.
    now: OffsetDateTime,
    /// When it said so.
    as_of: Instant,
    /// After how long without a request it ends or is locked.
    idle: Duration,
    /// When it was last used, if this request changes nothing of that.
    last_seen: OffsetDateTime,
    /// Whether this request counts as activity.
    is_touched: bool,
    absolute_end: OffsetDateTime,
    authenticated: OffsetDateTime,
}

impl Life {
    pub(super) fn of(record: &Record, is_touched: bool) -> Self {
        Self {
            now: record.loaded_at,
            as_of: Instant::now(),
            idle: sooner(record.idle_timeout, record.lock),
            last_seen: record.last_seen,
            is_touched,
            absolute_end: record.absolute_end,
            authenticated: record.authenticated(),
        }
    }

    /// Of a session that begins, whose user showed who they are at this time, if not now.
    pub(super) fn begun(lifetime: &Lifetime, authenticated: Option<OffsetDateTime>) -> Self {
        let now = OffsetDateTime::now_utc();
        let absolute = lifetime.absolute.try_into().unwrap_or(time::Duration::MAX);
        Self {
            now,
            as_of: Instant::now(),
            idle: sooner(lifetime.idle, lifetime.lock),
            last_seen: now,
            is_touched: true,
            absolute_end: now.saturating_add(absolute),
            authenticated: authenticated.unwrap_or(now),
        }
    }

    /// After a renewal, which is activity and moves nothing else.
    pub(super) fn renewed(&self) -> Self {
        let passed = self.as_of.elapsed();
        Self {
            now: self.now + passed,
            as_of: self.as_of + passed,
            is_touched: true,
            ..*self
        }
    }

    /// The same, of a request that does not count as activity.
    pub(super) const fn untouched(&self) -> Self {
        Self {
            is_touched: false,
            ..*self
        }
    }

    pub(super) fn left(&self) -> Duration {
        let unused = if self.is_touched {
            Duration::ZERO
        } else {
            between(self.last_seen, self.now)
        };
        self.idle
            .saturating_sub(unused)
            .min(between(self.now, self.absolute_end))
            .saturating_sub(self.as_of.elapsed())
    }

    pub(super) fn login_age(&self) -> Duration {
        between(self.authenticated, self.now).saturating_add(self.as_of.elapsed())
    }
}

/// The time that passed, if any did.
fn between(start: OffsetDateTime, end: OffsetDateTime) -> Duration {
    (end - start).try_into().unwrap_or_default()
}

fn sooner(idle: Duration, lock: Option<Duration>) -> Duration {
    lock.map_or(idle, |lock| lock.min(idle))
}
