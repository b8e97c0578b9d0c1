use std::time::Duration;

use crate::SessionId;

/// What has become of a session, as [`fates`](crate::SessionStore::fates) tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// It is not there: it has ended or expired, somebody logged in from it, or it never was.
    Ended,
    /// It is alive, and expires, or is locked, in this time if nobody uses it.
    Live(Duration),
    /// It is there, and [locked](crate::Lifetime::lock_when_idle): a login goes on from it under another id, and
    /// nothing else does.
    Locked,
    /// It was renewed, but not by a login, and has gone on under this id.
    Renewed(SessionId),
}
