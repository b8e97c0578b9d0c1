use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
};

use session_core::Error;
use sqlx::postgres::PgRow;
use tokio::{sync::oneshot, time::Instant};

use super::Ask;

/// The most that is asked together: more makes no request cheaper, and all of them later.
const MOST: usize = 64;

/// The most bytes that are sent together.
const MOST_BYTES: usize = 256 * 1024;

/// The rows of the sessions that were asked for.
pub(crate) type Rows = Vec<Arc<PgRow>>;

/// One who waits for an answer.
pub(crate) struct Waiting<A> {
    pub(crate) ask: A,
    pub(crate) deadline: Instant,
    answer: oneshot::Sender<Result<Rows, Error>>,
    /// What it is known by while it is in the queue.
    ticket: u64,
}

impl<A> Waiting<A> {
    pub(crate) fn tell(self, answer: Result<Rows, Error>) {
        let _nobody_waits = self.answer.send(answer);
    }
}

/// Those who wait for the next batch, and how many batches are under way.
pub(crate) struct Queue<A> {
    waiting: VecDeque<Waiting<A>>,
    next_ticket: u64,
    running: usize,
}

impl<A> Default for Queue<A> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            next_ticket: 0,
            running: 0,
        }
    }
}

impl<A: Ask> Queue<A> {
    /// Returns its ticket, and whether somebody has to begin a batch.
    pub(crate) fn enter(
        &mut self,
        ask: A,
        deadline: Instant,
        answer: oneshot::Sender<Result<Rows, Error>>,
    ) -> (u64, bool) {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.waiting.push_back(Waiting {
            ask,
            deadline,
            answer,
            ticket,
        });
        let begins = self.running < A::BATCHES;
        self.running += usize::from(begins);
        (ticket, begins)
    }

    /// Whether it was still waiting: then nothing was done.
    pub(crate) fn leave(&mut self, ticket: u64) -> bool {
        let place = self.waiting.iter().position(|waiting| waiting.ticket == ticket);
        place.is_some_and(|place| self.waiting.remove(place).is_some())
    }

    /// The next batch, in the order in which they came. If it is empty, whoever runs batches is counted no more.
    pub(crate) fn take(&mut self) -> Vec<Waiting<A>> {
        let (mut batch, mut later) = (Vec::new(), VecDeque::new());
        let (mut bytes, mut ids) = (0, HashSet::new());
        while let Some(waiting) = self.waiting.pop_front() {
            let is_again = A::ONE_EACH && !waiting.ask.ids().iter().all(|id| ids.insert(*id));
            let size = waiting.ask.size();
            if !batch.is_empty() && bytes + size > MOST_BYTES {
                later.push_back(waiting);
                break;
            }
            if is_again {
                later.push_back(waiting);
            } else {
                bytes += size;
                batch.push(waiting);
                if batch.len() == MOST {
                    break;
                }
            }
        }
        later.append(&mut self.waiting);
        self.waiting = later;
        self.running -= usize::from(batch.is_empty());
        batch
    }

    /// Whoever ran batches is gone.
    pub(crate) fn give_up(&mut self) {
        self.running -= 1;
    }
}

#[cfg(test)]
mod tests {
    use std::slice;

    use session_core::SessionId;
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

        fn alone(statements: &Statements) -> &Statement {
            &statements.update
        }

        fn together(statements: &Statements) -> &Statement {
            &statements.update_together
        }

        fn arguments(_: &[&Self]) -> Result<PgArguments, Error> {
            Ok(PgArguments::default())
        }
    }

    fn enter(queue: &mut Queue<Write>, id: u8, size: usize) -> (u64, bool) {
        let (answer, _) = oneshot::channel();
        let write = Write(SessionId::from_bytes([id; 16]), size);
        queue.enter(write, Instant::now(), answer)
    }

    fn take(queue: &mut Queue<Write>) -> Vec<(u8, usize)> {
        let batch = queue.take();
        batch
            .iter()
            .map(|write| (write.ask.0.as_bytes()[0], write.ask.1))
            .collect()
    }

    #[test]
    fn two_run_and_the_others_leave_it_to_them() {
        let mut queue = Queue::default();
        let begins: Vec<_> = (1..=4).map(|id| enter(&mut queue, id, 1).1).collect();
        assert_eq!(begins, [true, true, false, false]);
        assert_eq!(take(&mut queue).len(), 4);
        assert_eq!(take(&mut queue), []);
        assert!(enter(&mut queue, 5, 1).1);
        assert!(!enter(&mut queue, 6, 1).1);
        queue.give_up();
        assert!(enter(&mut queue, 7, 1).1);
    }

    #[test]
    fn writes_to_one_session_go_one_after_another_in_their_order() {
        let mut queue = Queue::default();
        for (id, size) in [(1, 1), (1, 2), (2, 3), (1, 4), (2, 5)] {
            enter(&mut queue, id, size);
        }
        assert_eq!(take(&mut queue), [(1, 1), (2, 3)]);
        assert_eq!(take(&mut queue), [(1, 2), (2, 5)]);
        assert_eq!(take(&mut queue), [(1, 4)]);
    }

    #[test]
    fn a_batch_is_bounded_by_number_and_by_size_and_one_fits_always() {
        let mut queue = Queue::default();
        for id in 0..=u8::try_from(MOST).unwrap() {
            enter(&mut queue, id, 1);
        }
        assert_eq!(take(&mut queue).len(), MOST);
        assert_eq!(take(&mut queue).len(), 1);
        for (id, size) in [(1, MOST_BYTES), (2, 1), (3, MOST_BYTES + 1), (4, 1)] {
            enter(&mut queue, id, size);
        }
        for expected in [(1, MOST_BYTES), (2, 1), (3, MOST_BYTES + 1), (4, 1)] {
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
}
