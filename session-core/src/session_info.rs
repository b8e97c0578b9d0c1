use time::OffsetDateTime;

use crate::{About, Record, SessionId};

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
    /// When the session ends if no further request opens it.
    pub expires: OffsetDateTime,
    /// When the session ends whatever its use.
    pub absolute_end: OffsetDateTime,
    /// What the login said of itself: the device, where it came from.
    pub about: About,
}

impl SessionInfo {
    /// The line of a session with this record; for stores.
    #[must_use]
    pub fn of(id: SessionId, record: &Record) -> Self {
        Self {
            id,
            created: record.created,
            last_seen: record.last_seen,
            expires: record.expires(),
            absolute_end: record.absolute_end,
            about: record.about.clone(),
        }
    }
}
