use std::time::Duration;

use crate::{RenewalNonce, SessionId};

/// What a store knows of an id whose session was renewed, by a login too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Marker {
    /// The old id.
    pub id: SessionId,
    /// The id that came after.
    pub successor: SessionId,
    /// What makes the successor's token out of the old one, if it was a renewal by time.
    pub nonce: Option<RenewalNonce>,
    /// How long ago it was.
    pub age: Duration,
}

impl Marker {
    /// The marker of a renewal that has just been made; for stores.
    #[must_use]
    pub const fn new(id: SessionId, successor: SessionId) -> Self {
        Self {
            id,
            successor,
            nonce: None,
            age: Duration::ZERO,
        }
    }
}
