//! What time does to those who wait, without waiting for it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::{Duration, Instant},
};

use super::sessions::Sessions;
use crate::{Fate, SessionId};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Fate = Fate::Live(Duration::from_secs(60 * 60));

fn id(number: u8) -> SessionId {
    SessionId::from_bytes([number; 16])
}

/// Sessions that are watched, at a time of the test's own.
struct Given {
    sessions: Sessions,
    now: Instant,
}

impl Given {
    fn watched(ids: &[SessionId]) -> Self {
        let now = Instant::now();
        let mut sessions = Sessions::default();
        for id in ids {
            sessions.add(now, *id);
        }
        Self { sessions, now }
    }

    fn linked(mut self) -> Self {
        self.sessions.link_up(self.now);
        self
    }

    fn after(&mut self, time: Duration) -> Vec<SessionId> {
        self.now += time;
        let mut ids = self.sessions.due(self.now).unwrap().ids;
        ids.sort_unstable();
        ids
    }

    /// Looks at what is due, and finds this.
    fn look(&mut self, fate: Fate) -> usize {
        let due = self.sessions.due(self.now).unwrap();
        let fates = due.ids.iter().map(|id| (id, fate));
        let _woken = self.sessions.learn(self.now, &due, fates);
        due.ids.len()
    }
}

#[test]
fn a_session_is_looked_at_when_somebody_begins_to_wait_and_then_seldom() {
    let mut given = Given::watched(&[id(1), id(1), id(2)]).linked();
    assert_eq!(given.look(HOUR), 2);
    assert_eq!(given.after(SECOND * 14), []);
    assert_eq!(given.after(SECOND * 32), [id(1), id(2)]);
}

#[test]
fn without_a_link_sessions_are_looked_at_about_every_second() {
    let mut given = Given::watched(&[id(1), id(2)]);
    for _ in 0..10 {
        assert_eq!(given.look(HOUR), 2);
        assert_eq!(given.after(SECOND / 4), []);
        given.now += SECOND;
    }
}

#[test]
fn a_look_that_failed_is_repeated_about_a_second_later() {
    let mut given = Given::watched(&[id(1)]).linked();
    given.sessions.due(given.now).unwrap();
    assert_eq!(given.after(SECOND / 4), []);
    assert_eq!(given.after(SECOND), [id(1)]);
}

#[test]
fn a_session_is_looked_at_when_it_would_expire() {
    let mut given = Given::watched(&[id(1)]).linked();
    given.look(Fate::Live(SECOND * 3));
    assert_eq!(given.after(SECOND * 3 - Duration::from_millis(1)), []);
    assert_eq!(given.after(Duration::from_millis(1)), [id(1)]);
}

#[test]
fn a_link_that_is_lost_and_one_that_is_back_make_everybody_look() {
    let mut given = Given::watched(&[id(1), id(2)]).linked();
    given.look(HOUR);
    given.sessions.link_down(given.now);
    assert_eq!(given.after(SECOND * 2), [id(1), id(2)]);
    given.look(HOUR);
    given.sessions.link_up(given.now);
    assert_eq!(given.after(Duration::ZERO), [id(1), id(2)]);
}

#[test]
fn what_was_read_before_the_link_came_back_puts_off_no_look() {
    let mut given = Given::watched(&[id(1)]);
    let due = given.sessions.due(given.now).unwrap();
    given.now += SECOND / 10;
    given.sessions.link_up(given.now);
    let _woken = given.sessions.learn(given.now, &due, [(&id(1), HOUR)].into_iter());
    assert_eq!(given.after(Duration::ZERO), [id(1)]);
}

#[test]
fn a_new_id_is_looked_at_soon_for_its_end_may_have_been_told_first() {
    let mut given = Given::watched(&[id(1)]).linked();
    given.look(HOUR);
    assert_eq!(given.sessions.end(&id(2)).len(), 0);
    given.sessions.renew(given.now, &id(1), &id(2));
    assert_eq!(given.after(Duration::ZERO), [id(2)]);
}

#[test]
fn there_is_one_lookout_while_somebody_waits() {
    let mut sessions = Sessions::default();
    let number = sessions.add(Instant::now(), id(1));
    let first = sessions.take_lookout().unwrap();
    assert!(sessions.take_lookout().is_none());
    // The runtime that it ran in is gone.
    drop(first);
    let second = sessions.take_lookout().unwrap();
    sessions.remove(number);
    assert!(sessions.due(Instant::now()).is_none());
    // It is about to go, and somebody comes.
    sessions.add(Instant::now(), id(1));
    let third = sessions.take_lookout().unwrap();
    drop(second);
    assert!(sessions.take_lookout().is_none());
    drop(third);
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn an_end_wakes_who_waits_under_whatever_id_and_nobody_else() {
    let mut sessions = Sessions::default();
    let now = Instant::now();
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let context = Context::from_waker(&waker);
    let numbers = [1, 1, 2, 3].map(|session| sessions.add(now, id(session)));
    for number in numbers {
        assert_eq!(sessions.poll(number, &context), Poll::Pending);
    }
    sessions.renew(now, &id(1), &id(2));
    sessions.remove(numbers[0]);
    assert_eq!(sessions.end(&id(1)).len(), 0);
    sessions.end(&id(2)).into_iter().for_each(Waker::wake);
    assert_eq!(woken.0.load(Ordering::SeqCst), 2);
    let polls = numbers.map(|number| sessions.poll(number, &context));
    assert_eq!(
        polls,
        [Poll::Ready(()), Poll::Ready(()), Poll::Ready(()), Poll::Pending]
    );
}
