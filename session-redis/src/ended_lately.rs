use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use session_core::SessionId;
use tokio::time::Instant;

/// How long it matters: longer than a replica that may take a primary's place is behind.
const LATELY: Duration = Duration::from_secs(60);

/// As many as a new connection can say in a moment.
const MOST: usize = 4096;

/// What this instance has ended in the last minute, to be ended again on each new connection.
///
/// Replication is asynchronous: the server at the other end may have taken the place of one that acknowledged the end of a
/// session, and may never have heard of it.
#[derive(Debug, Default)]
pub(crate) struct EndedLately(Mutex<VecDeque<(Instant, SessionId)>>);

impl EndedLately {
    pub(crate) fn note(&self, id: SessionId) {
        let mut ended = self.ended();
        if ended.len() == MOST {
            ended.pop_front();
        }
        ended.push_back((Instant::now(), id));
    }

    pub(crate) fn ids(&self) -> Vec<SessionId> {
        let mut ended = self.ended();
        while ended.front().is_some_and(|(at, _)| at.elapsed() > LATELY) {
            ended.pop_front();
        }
        ended.iter().map(|(_, id)| *id).collect()
    }

    fn ended(&self) -> MutexGuard<'_, VecDeque<(Instant, SessionId)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_of(number: u128) -> SessionId {
        SessionId::from_bytes(number.to_be_bytes())
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_known_for_a_minute() {
        let ended = EndedLately::default();
        ended.note(id_of(1));
        tokio::time::advance(LATELY / 2).await;
        ended.note(id_of(2));
        assert_eq!(ended.ids(), [id_of(1), id_of(2)]);
        tokio::time::advance(LATELY / 2 + Duration::from_secs(1)).await;
        assert_eq!(ended.ids(), [id_of(2)]);
    }

    #[test]
    fn the_newest_are_known() {
        let ended = EndedLately::default();
        (0..=MOST as u128).for_each(|number| ended.note(id_of(number)));
        let ids = ended.ids();
        assert_eq!((ids.len(), ids[0]), (MOST, id_of(1)));
    }
}
