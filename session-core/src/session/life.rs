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
    idle_left: Duration,
    absolute_left: Duration,
    login_age: Duration,
}

impl Life {
    pub(super) fn of(record: &Record, is_touched: bool) -> Self {
        let now = record.loaded_at;
        let since = |time: OffsetDateTime| Duration::try_from(now - time).unwrap_or_default();
        let idle = sooner(record.idle_timeout, record.lock);
        let unused = if is_touched {
            Duration::ZERO
        } else {
            since(record.last_seen)
        };
        Self {
            as_of: Instant::now(),
            idle,
            idle_left: idle.saturating_sub(unused),
            absolute_left: (record.absolute_end - now).try_into().unwrap_or_default(),
            login_age: since(record.authenticated()),
        }
    }

    pub(super) fn begun(lifetime: &Lifetime) -> Self {
        let idle = sooner(lifetime.idle, lifetime.lock);
        Self {
            as_of: Instant::now(),
            idle,
            idle_left: idle,
            absolute_left: lifetime.absolute,
            login_age: Duration::ZERO,
        }
    }

    /// After a renewal, which is activity and moves nothing else.
    pub(super) fn renewed(&self) -> Self {
        let passed = self.as_of.elapsed();
        Self {
            as_of: Instant::now(),
            idle: self.idle,
            idle_left: self.idle,
            absolute_left: self.absolute_left.saturating_sub(passed),
            login_age: self.login_age.saturating_add(passed),
        }
    }

    pub(super) fn left(&self) -> Duration {
        self.idle_left
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
