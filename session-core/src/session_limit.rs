use crate::Excess;

/// How many sessions of one class a user may have at a time, and what a login does that would make one more.
///
/// ```
/// use session_core::{Excess, SessionLimit};
///
/// let limit = SessionLimit::new(3).excess(Excess::EndOldest);
/// assert_eq!(limit.max, 3);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionLimit {
    /// The most sessions; none allows no login at all.
    pub max: u32,
    /// What a login does that would make one more. Refused unless set.
    pub excess: Excess,
}

impl SessionLimit {
    /// At most `max` sessions; a login beyond is refused.
    #[must_use]
    pub const fn new(max: u32) -> Self {
        Self {
            max,
            excess: Excess::Refuse,
        }
    }

    /// Sets what a login does that would make one more.
    #[must_use]
    pub const fn excess(mut self, excess: Excess) -> Self {
        self.excess = excess;
        self
    }
}
