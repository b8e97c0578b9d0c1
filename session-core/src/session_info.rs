use time::OffsetDateTime;

use crate::{Record, SessionId};

/// A line in the list of a user's sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionInfo {
    /// The session.
    pub id: SessionId,
    /// When the user logged in.
    pub created: OffsetDateTime,
    /// When a request last counted as activity.
    pub last_seen: OffsetDateTime,
    /// When the session ends whatever its use.
    pub absolute_end: OffsetDateTime,
}

impl SessionInfo {
    /// The line of a session with this record; for stores.
    #[must_use]
    pub const fn of(id: SessionId, record: &Record) -> Self {
        Self::new(id, record.created, record.last_seen, record.absolute_end)
    }

    /// A line of the list; for stores.
    #[must_use]
    pub const fn new(
        id: SessionId,
        created: OffsetDateTime,
        last_seen: OffsetDateTime,
        absolute_end: OffsetDateTime,
    ) -> Self {
        Self {
            id,
            created,
            last_seen,
            absolute_end,
        }
    }
}
