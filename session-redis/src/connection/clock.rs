use std::{
    sync::{PoisonError, RwLock},
    time::{Duration, Instant},
};

use time::OffsetDateTime;

/// After this long the server is asked for its time again, along with something else.
const AGE_LIMIT: Duration = Duration::from_secs(30);

/// What the server's clock shows, kept up between two looks at it by one that only runs forward.
///
/// It tells when a record was read. Whether a session lives the server decides itself.
#[derive(Debug, Default)]
pub(crate) struct Clock(RwLock<Option<(Instant, OffsetDateTime)>>);

impl Clock {
    /// Sets it to the server's time, which has just come.
    pub(crate) fn set(&self, time: OffsetDateTime) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), time));
    }

    /// The server's time, a little late.
    pub(crate) fn now(&self) -> Option<OffsetDateTime> {
        let (at, time) = self.look()?;
        Some(time + at.elapsed())
    }

    /// Whether the server should be asked.
    pub(crate) fn is_old(&self) -> bool {
        self.look().is_none_or(|(at, _)| at.elapsed() > AGE_LIMIT)
    }

    fn look(&self) -> Option<(Instant, OffsetDateTime)> {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}
