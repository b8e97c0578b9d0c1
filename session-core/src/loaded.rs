use crate::{Record, SessionId};

/// What a [`load`](crate::SessionStore::load) found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Loaded {
    /// The first of the ids asked for that is a live session, and its record.
    Live(SessionId, Box<Record>),
    /// None of them is.
    Missing,
}
