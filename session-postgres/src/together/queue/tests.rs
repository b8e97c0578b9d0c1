use std::{slice, time::Duration};

use sqlx::postgres::PgArguments;

use super::*;
use crate::statement::{Statement, Statements};

/// A write of so many bytes.
struct Write(SessionId, usize);

impl Ask for Write {
    const BATCHES: usize = 2;
    const ONE_EACH: bool = true;

    fn ids(&self) -> &[SessionId] {
        slice::from_ref(&self.0)
    }

    fn size(&self) -> usize {
        self.1
    }

    /// As an example, if both are large.
    fn join(&self, next: &Self) -> Option<Self> {
        (self.1.min(next.1) > 100).then_some(Self(self.0, self.1 + next.1))
    }

    fn alone(statements: &Statements) -> &Statement {
        &statements.update
    }

    fn together<'a>(statements: &'a Statements, _asks: &[&Self]) -> &'a Statement {
        &statements.update_together
    }

    fn arguments(_: &[&Self]) -> Result<PgArguments, Error> {
        Ok(PgArguments::default())
    }
}

fn id_of(id: u8) -> SessionId {
    SessionId::from_bytes([id; 16])
}

fn enter(queue: &mut Queue<Write>, id: u8, size: usize) -> (u64, bool) {
    let (answer, _) = oneshot::channel();
    let deadline = Instant::now() + Duration::from_secs(60);
    queue.enter(Write(id_of(id), size), deadline, answer)
}

/// The next batch: ids and sizes.
fn take(queue: &mut Queue<Write>) -> Vec<(u8, usize)> {
    let batch = queue.take();
    let asks = batch.iter().map(Joint::ask);
    asks.map(|write| (write.0.as_bytes()[0], write.1)).collect()
}

#[test]
fn one_runs_and_the_others_leave_it_to_that() {
    let mut queue = Queue::default();
    let begins: Vec<_> = (1..=4).map(|id| enter(&mut queue, id, 1).1).collect();
    assert_eq!(begins, [true, false, false, false]);
    assert_eq!(take(&mut queue).len(), 4);
    assert_eq!(take(&mut queue), []);
    (1..=4).for_each(|id| assert!(!queue.done(&[id_of(id)])));
    assert!(enter(&mut queue, 5, 1).1);
    assert!(!enter(&mut queue, 6, 1).1);
    queue.give_up();
    assert!(enter(&mut queue, 7, 1).1);
}

#[test]
fn two_run_if_many_wait_and_no_longer() {
    let mut queue = Queue::default();
    assert!(enter(&mut queue, 1, 1).1);
    assert_eq!(take(&mut queue), [(1, 1)]);
    let ids = 2..=u8::try_from(WORTH_ANOTHER).unwrap() + 1;
    let begins: Vec<_> = ids.map(|id| enter(&mut queue, id, 1).1).collect();
    assert_eq!(begins.iter().position(|begins| *begins), Some(WORTH_ANOTHER - 1));
    assert!(!enter(&mut queue, 100, 1).1);
    assert_eq!(take(&mut queue).len(), WORTH_ANOTHER + 1);
    // The second who comes back leaves the few who wait to the first.
    enter(&mut queue, 101, 1);
    assert!(queue.take_next().is_empty());
    assert_eq!(queue.take_next().len(), 1);
}

#[test]
fn who_has_waited_long_is_asked_for_beside_what_takes_long() {
    let mut queue = Queue::default();
    let (under_way, _) = enter(&mut queue, 1, 1);
    take(&mut queue);
    let (ticket, begins) = enter(&mut queue, 2, 1);
    assert!(!begins && !queue.hurry(under_way) && queue.hurry(ticket));
    // No more than two.
    assert!(!queue.hurry(ticket));
    assert_eq!(take(&mut queue), [(2, 1)]);
    assert!(!queue.hurry(ticket));
}

#[test]
fn who_has_waited_long_beside_two_is_in_the_next() {
    let mut queue = Queue::default();
    enter(&mut queue, 1, 1);
    take(&mut queue);
    let (second, _) = enter(&mut queue, 2, 1);
    assert!(queue.hurry(second));
    take(&mut queue);
    let (third, _) = enter(&mut queue, 3, 1);
    assert!(!queue.hurry(third));
    // One of the two is stuck, and the other comes back.
    assert_eq!(queue.take_next().len(), 1);
}

#[test]
fn writes_to_one_session_wait_for_each_other_in_their_order() {
    let mut queue = Queue::default();
    for (id, size) in [(1, 1), (1, 2), (2, 3), (1, 4), (2, 5), (3, 6)] {
        enter(&mut queue, id, size);
    }
    assert_eq!(take(&mut queue), [(1, 1), (2, 3), (3, 6)]);
    assert_eq!(take(&mut queue), []);
    assert!(queue.done(&[id_of(1)]));
    assert_eq!(take(&mut queue), [(1, 2)]);
    queue.done(&[id_of(2), id_of(1)]);
    assert_eq!(take(&mut queue), [(1, 4), (2, 5)]);
}

#[test]
fn those_who_can_be_joined_are_one() {
    let mut queue = Queue::default();
    for (id, size) in [(1, 101), (2, 1), (1, 102), (1, 1), (1, 103)] {
        enter(&mut queue, id, size);
    }
    let mut batch = queue.take().into_iter();
    let (first, second) = (batch.next().unwrap(), batch.next().unwrap());
    assert_eq!(first.ask().1, 203);
    let members: Vec<_> = first
        .into_members()
        .map(|(member, later)| (member.ask.1, later))
        .collect();
    assert_eq!(members, [(101, 1), (102, 0)]);
    assert!(second.is_one() && batch.next().is_none());
    // Nobody overtakes one who could not be joined.
    queue.done(&[id_of(1)]);
    assert_eq!(take(&mut queue), [(1, 1)]);
}

#[test]
fn who_is_late_is_asked_for_no_more() {
    let mut queue = Queue::default();
    let (here, _stays) = oneshot::channel();
    let (ticket, _) = queue.enter(Write(id_of(1), 1), Instant::now(), here);
    let (gone, _) = oneshot::channel();
    queue.enter(Write(id_of(2), 1), Instant::now(), gone);
    assert_eq!(take(&mut queue), []);
    assert_eq!(queue.waiting.len(), 1);
    assert!(queue.leave(ticket));
}

#[test]
fn a_batch_is_bounded_by_number_and_by_size_and_one_fits_always() {
    let mut queue = Queue::default();
    for id in 0..=u8::try_from(MOST).unwrap() {
        enter(&mut queue, id, 1);
    }
    assert_eq!(take(&mut queue).len(), MOST);
    assert_eq!(take(&mut queue).len(), 1);
    let sizes = [(101, MOST_BYTES), (102, 1), (103, MOST_BYTES + 1), (104, 1)];
    for (id, size) in sizes {
        enter(&mut queue, id, size);
    }
    for expected in sizes {
        assert_eq!(take(&mut queue), [expected]);
    }
}

#[test]
fn who_leaves_before_its_batch_was_not_asked_for() {
    let mut queue = Queue::default();
    let (first, second) = (enter(&mut queue, 1, 1).0, enter(&mut queue, 2, 1).0);
    assert!(queue.leave(first));
    assert!(!queue.leave(first));
    assert_eq!(take(&mut queue), [(2, 1)]);
    assert!(!queue.leave(second));
}
