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

/// What this instance has ended in the last minute, or is ending, to be ended again on each new connection.
///
/// Replication is asynchronous: the server at the other end may have taken the place of one that acknowledged the end
/// of a session, and may never have heard of it.
#[derive(Debug, Default)]
pub(crate) struct EndedLately(Mutex<Ended>);

#[derive(Debug, Default)]
struct Ended {
    done: VecDeque<(Instant, SessionId)>,
    under_way: Vec<SessionId>,
}

/// An end that is under way. Dropped, it may have been done.
#[must_use]
pub(crate) struct Ending<'a> {
    lately: &'a EndedLately,
    id: SessionId,
    may_be_done: bool,
}

impl EndedLately {
    pub(crate) fn note(&self, id: SessionId) {
        self.ended().note(id);
    }

    /// An end is about to be asked for: a connection to another server may be made while the answer comes.
    pub(crate) fn begin(&self, id: SessionId) -> Ending<'_> {
        self.ended().under_way.push(id);
        Ending {
            lately: self,
            id,
            may_be_done: true,
        }
    }

    pub(crate) fn ids(&self) -> Vec<SessionId> {
        let ended = &mut *self.ended();
        while ended.done.front().is_some_and(|(at, _)| at.elapsed() > LATELY) {
            ended.done.pop_front();
        }
        let done = ended.done.iter().map(|(_, id)| *id);
        done.chain(ended.under_way.iter().copied()).collect()
    }

    fn ended(&self) -> MutexGuard<'_, Ended> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ended {
    fn note(&mut self, id: SessionId) {
        if self.done.len() == MOST {
            self.done.pop_front();
        }
        self.done.push_back((Instant::now(), id));
    }
}

impl Ending<'_> {
    /// There was nothing to end, or nobody was asked.
    pub(crate) fn was_not_done(mut self) {
        self.may_be_done = false;
    }
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        let mut ended = self.lately.ended();
        if let Some(place) = ended.under_way.iter().position(|id| *id == self.id) {
            ended.under_way.swap_remove(place);
        }
        if self.may_be_done {
            ended.note(self.id);
        }
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
    fn an_end_under_way_is_known_and_forgotten_only_if_it_was_not_done() {
        let ended = EndedLately::default();
        let (done, not_done) = (ended.begin(id_of(1)), ended.begin(id_of(2)));
        assert_eq!(ended.ids(), [id_of(1), id_of(2)]);
        drop(done);
        not_done.was_not_done();
        assert_eq!(ended.ids(), [id_of(1)]);
        // It is not the end of before that is forgotten.
        ended.begin(id_of(1)).was_not_done();
        assert_eq!(ended.ids(), [id_of(1)]);
    }

    #[test]
    fn the_newest_are_known() {
        let ended = EndedLately::default();
        (0..=MOST as u128).for_each(|number| ended.note(id_of(number)));
        let ids = ended.ids();
        assert_eq!((ids.len(), ids[0]), (MOST, id_of(1)));
    }
}
