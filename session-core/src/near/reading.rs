use std::time::Instant;

/// A load under way, whose answer a [`NearCache`](crate::NearCache) may keep if nothing has changed meanwhile.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// How many changes had been told when it began.
    pub(super) since: u64,
    pub(super) began: Instant,
}
