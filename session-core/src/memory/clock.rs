use std::time::Instant;

use time::OffsetDateTime;

/// The memory store's clock: it starts at the wall clock's time and then only runs forward, so a wall clock that is
/// set back lengthens no session.
#[derive(Debug)]
pub(super) struct Clock {
    wall: OffsetDateTime,
    started: Instant,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self {
            wall: OffsetDateTime::now_utc(),
            started: Instant::now(),
        }
    }

    pub(super) fn now(&self) -> OffsetDateTime {
        self.wall + self.started.elapsed()
    }
}
