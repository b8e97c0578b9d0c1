use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Weak},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use crate::{Fate, SessionId, jitter::jittered};

/// How often a session is looked at, on average, in case an announcement was lost.
const SAFETY: Duration = Duration::from_secs(30);

/// How often if nothing is announced, for there is no link; and how soon again if a look fails.
const UNLINKED: Duration = Duration::from_millis(700);

/// The sessions that are watched, and who waits for their ends.
#[derive(Default)]
pub(super) struct Sessions {
    pub(super) watched: HashMap<SessionId, Watched>,
    pub(super) waiting: HashMap<u64, Waiting>,
    next_number: u64,
    /// One, or two for a moment when one replaces another.
    pub(super) links: usize,
    /// Whether the lookout stands: it holds the other end.
    lookout: Weak<()>,
}

pub(super) struct Watched {
    /// When to look at the session.
    pub(super) due: Instant,
    /// Who waits, by number.
    pub(super) numbers: BTreeSet<u64>,
}

pub(super) struct Waiting {
    /// The session's id by now.
    id: SessionId,
    waker: Option<Waker>,
}

/// Sessions to look at.
pub(super) struct Due {
    pub(super) ids: Vec<SessionId>,
    /// When they are due again if nobody learns of them. A session that has another due time by then is another case:
    /// something came up during the look.
    again: Instant,
}

impl Sessions {
    /// Somebody waits for the end of a session; their number.
    pub(super) fn add(&mut self, now: Instant, id: SessionId) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        self.waiting.insert(number, Waiting { id, waker: None });
        self.watched_at(now, id).numbers.insert(number);
        number
    }

    /// Whether the session has ended for which this one waits.
    pub(super) fn poll(&mut self, number: u64, context: &Context<'_>) -> Poll<()> {
        match self.waiting.get_mut(&number) {
            None => Poll::Ready(()),
            Some(waiting) => {
                waiting.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    /// This one waits no longer.
    pub(super) fn remove(&mut self, number: u64) {
        let Some(Waiting { id, .. }) = self.waiting.remove(&number) else {
            return;
        };
        if let Some(watched) = self.watched.get_mut(&id) {
            watched.numbers.remove(&number);
            if watched.numbers.is_empty() {
                self.watched.remove(&id);
            }
        }
    }

    /// A session has ended: those to wake.
    #[must_use]
    pub(super) fn end(&mut self, id: &SessionId) -> Vec<Waker> {
        let numbers = self.watched.remove(id).map(|watched| watched.numbers);
        let waiting = numbers.into_iter().flatten().filter_map(|n| self.waiting.remove(&n));
        waiting.filter_map(|waiting| waiting.waker).collect()
    }

    /// A session goes on under another id. It is looked at soon: its end may have been told first.
    pub(super) fn renew(&mut self, now: Instant, from: &SessionId, to: &SessionId) {
        let Some(Watched { numbers, .. }) = self.watched.remove(from) else {
            return;
        };
        for number in &numbers {
            if let Some(waiting) = self.waiting.get_mut(number) {
                waiting.id = *to;
            }
        }
        let watched = self.watched_at(now, *to);
        watched.due = now;
        watched.numbers.extend(numbers);
    }

    pub(super) fn link_up(&mut self, now: Instant) {
        self.links += 1;
        self.watched.values_mut().for_each(|watched| watched.due = now);
    }

    pub(super) fn link_down(&mut self, now: Instant) {
        self.links -= 1;
        let soon = now + jittered(UNLINKED);
        for watched in self.watched.values_mut() {
            watched.due = watched.due.min(soon);
        }
    }

    /// Lets the caller be the lookout, while it keeps what is returned, unless there is one.
    pub(super) fn take_lookout(&mut self) -> Option<Arc<()>> {
        if self.lookout.strong_count() > 0 {
            return None;
        }
        let lookout = Arc::new(());
        self.lookout = Arc::downgrade(&lookout);
        Some(lookout)
    }

    /// The sessions to look at now. If nobody waits for any there is no lookout from now on.
    pub(super) fn due(&mut self, now: Instant) -> Option<Due> {
        if self.watched.is_empty() {
            self.lookout = Weak::new();
            return None;
        }
        let again = now + jittered(UNLINKED);
        let due = self.watched.iter_mut().filter(|(_, watched)| watched.due <= now);
        let ids = due.map(|(id, watched)| {
            watched.due = again;
            *id
        });
        Some(Due {
            ids: ids.collect(),
            again,
        })
    }

    /// What a look told of sessions: those to wake.
    #[must_use]
    pub(super) fn learn<'a>(
        &mut self,
        now: Instant,
        due: &Due,
        fates: impl Iterator<Item = (&'a SessionId, Fate)>,
    ) -> Vec<Waker> {
        // The same for all, so that they are looked at together again.
        let pause = jittered(if self.links > 0 { SAFETY } else { UNLINKED });
        let mut ended = Vec::new();
        for (id, fate) in fates {
            match fate {
                // Nothing opens a locked session under this id any more.
                Fate::Ended | Fate::Locked => ended.extend(self.end(id)),
                Fate::Renewed(to) => self.renew(now, id, &to),
                Fate::Live(left) => {
                    if let Some(watched) = self.watched.get_mut(id).filter(|watched| watched.due == due.again) {
                        watched.due = now + pause.min(left);
                    }
                }
            }
        }
        ended
    }

    fn watched_at(&mut self, now: Instant, id: SessionId) -> &mut Watched {
        self.watched.entry(id).or_insert_with(|| Watched {
            due: now,
            numbers: BTreeSet::new(),
        })
    }
}
