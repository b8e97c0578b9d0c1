use std::time::Duration;

use time::OffsetDateTime;

use crate::{About, Data, Seal, Version};

/// What a store keeps of one session. All times are the store's.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// The session's data.
    pub data: Data,
    /// How often the record has been written.
    pub version: Version,
    /// Who is logged in, if anybody is. It never changes under one session id: a login makes a new one.
    pub user: Option<String>,
    /// When the session began: its creation, or its user's login.
    pub created: OffsetDateTime,
    /// When a request last counted as activity.
    pub last_seen: OffsetDateTime,
    /// How long the session lives after `last_seen`.
    pub idle_timeout: Duration,
    /// When the session ends whatever its use.
    pub absolute_end: OffsetDateTime,
    /// How long after `last_seen` it is locked, if it ever is: then nothing but a login or its end changes it.
    pub lock: Option<Duration>,
    /// How old its token becomes before it is renewed, if it ever is.
    pub renewal: Option<Duration>,
    /// When it got its token: at its creation, its login, or the last renewal.
    pub renewed: OffsetDateTime,
    /// What its login said of itself.
    pub about: About,
    /// What its values are sealed with, if they are.
    pub seal: Option<Seal>,
    /// The store's time when it read this record.
    pub loaded_at: OffsetDateTime,
}

impl Record {
    /// A record without data and user, at version 1, that begins at `now`; for stores.
    #[must_use]
    pub fn new(now: OffsetDateTime, idle_timeout: Duration, absolute_end: OffsetDateTime) -> Self {
        Self {
            data: Data::new(),
            version: Version(1),
            user: None,
            created: now,
            last_seen: now,
            idle_timeout,
            absolute_end,
            lock: None,
            renewal: None,
            renewed: now,
            about: About::default(),
            seal: None,
            loaded_at: now,
        }
    }

    /// When its user showed who they are: not later than the login.
    #[must_use]
    pub fn authenticated(&self) -> OffsetDateTime {
        self.about
            .authenticated
            .map_or(self.created, |time| time.min(self.created))
    }

    /// Whether it was locked at this time of the store's.
    #[must_use]
    pub fn is_locked(&self, now: OffsetDateTime) -> bool {
        self.lock
            .is_some_and(|lock| self.last_seen.saturating_add(to_signed(lock)) <= now)
    }

    /// Whether its token was old enough to be renewed at this time of the store's.
    #[must_use]
    pub fn is_renewal_due(&self, now: OffsetDateTime) -> bool {
        self.renewal
            .is_some_and(|renewal| self.renewed.saturating_add(to_signed(renewal)) <= now)
    }

    /// When the session ends if no further request opens it.
    #[must_use]
    pub fn expires(&self) -> OffsetDateTime {
        self.absolute_end
            .min(self.last_seen.saturating_add(to_signed(self.idle_timeout)))
    }
}

fn to_signed(duration: Duration) -> time::Duration {
    duration.try_into().unwrap_or(time::Duration::MAX)
}
