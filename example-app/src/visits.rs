use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use session_core::{Error, Session};

/// How many of the last requests are remembered.
pub(crate) const RECENT: usize = 20;

const KEY: &str = "visits";

/// What the session remembers of a browser's visits: one value, so that one atomic update counts a visit.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Visits {
    pub(crate) count: u64,
    /// Which instances answered the last of them, the newest last.
    pub(crate) recent: VecDeque<String>,
}

impl Visits {
    /// Counts a visit that `instance` answers: exactly once, whatever other requests of this browser do meanwhile.
    pub(crate) async fn record(session: &Session, instance: &str) -> Result<Self, Error> {
        let add = |visits: Option<Self>| {
            let mut visits = visits.unwrap_or_default();
            visits.count += 1;
            visits.recent.push_back(instance.to_owned());
            while visits.recent.len() > RECENT {
                visits.recent.pop_front();
            }
            visits
        };
        session.update(KEY, add).await
    }

    /// The visits so far. Makes no session for a browser that has none.
    pub(crate) fn of(session: &Session) -> Result<Self, Error> {
        Ok(session.get(KEY)?.unwrap_or_default())
    }
}
