use std::time::Duration;

use crate::{Record, SessionId};

/// What a [`load`](crate::SessionStore::load) found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Loaded {
    /// The first of the ids asked for that is a live session, and its record.
    Live(SessionId, Box<Record>),
    /// None of them is, and one was renewed less than [`JUST_RENEWED`](Self::JUST_RENEWED) ago: the browser is about to
    /// learn its session's new token, so nothing should be begun for it under another.
    Renewed,
    /// None of them is.
    Missing,
}

impl Loaded {
    /// How long a browser may take to learn its new token: ten seconds, for the answer to the request that renewed it
    /// and for those sent before it came. Longer would hurt a browser that lost the answer.
    pub const JUST_RENEWED: Duration = Duration::from_secs(10);
}
