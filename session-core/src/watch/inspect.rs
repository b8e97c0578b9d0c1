//! What the conformance suite asks, to know when to go on.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Watch, sessions::Sessions};
use crate::SessionId;

impl Watch {
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.sessions().waiting.len()
    }

    pub(crate) fn waiting_for(&self, id: &SessionId) -> usize {
        let sessions = self.sessions();
        sessions.watched.get(id).map_or(0, |watched| watched.numbers.len())
    }

    pub(crate) fn is_empty(&self) -> bool {
        let Sessions { watched, waiting, .. } = &*self.sessions();
        watched.is_empty() && waiting.is_empty()
    }

    /// Whether it has a link, and nobody will look for this long.
    pub(crate) fn is_quiet_for(&self, time: Duration) -> bool {
        let sessions = self.sessions();
        let then = Instant::now() + time;
        sessions.links > 0 && sessions.watched.values().all(|watched| watched.due > then)
    }
}
