use std::{
    collections::{HashMap, HashSet, VecDeque},
    iter,
    sync::Arc,
};

use session_core::{Error, SessionId};
use sqlx::postgres::PgRow;
use tokio::{sync::oneshot, time::Instant};

use super::Ask;

/// The most that is asked together: more makes no request cheaper, and all of them later.
const MOST: usize = 64;

/// The most bytes that are sent together.
const MOST_BYTES: usize = 256 * 1024;

/// So many have to wait before a batch is sent beside one that is under way: in small batches each costs the server,
/// and the app, more.
const WORTH_ANOTHER: usize = 16;

/// What one is told.
#[derive(Clone)]
pub(crate) struct Answer {
    /// The rows of the sessions that were asked for.
    pub(crate) rows: Vec<Arc<PgRow>>,
    /// How many were joined with it and came after it: they are in the rows too.
    pub(crate) later: u64,
}

impl Answer {
    /// Of one who was joined with nobody.
    pub(crate) fn of(rows: Vec<PgRow>) -> Self {
        let rows = rows.into_iter().map(Arc::new).collect();
        Self { rows, later: 0 }
    }
}

/// One who waits for an answer.
pub(crate) struct Waiting<A> {
    pub(crate) ask: A,
    pub(crate) deadline: Instant,
    answer: oneshot::Sender<Result<Answer, Error>>,
    /// What it is known by while it is in the queue.
    ticket: u64,
    /// Whether it has been waiting for long.
    is_urgent: bool,
}

impl<A> Waiting<A> {
    pub(crate) fn tell(self, answer: Result<Answer, Error>) {
        let _nobody_waits = self.answer.send(answer);
    }
}

/// One thing that is asked for, by one or by several who were joined.
pub(crate) struct Joint<A> {
    first: Waiting<A>,
    others: Vec<Waiting<A>>,
    joined: Option<A>,
}

/// Those who wait for the next batch, and what is known of the batches under way.
pub(crate) struct Queue<A> {
    waiting: VecDeque<Waiting<A>>,
    next_ticket: u64,
    running: usize,
    /// The sessions that they are about, if two of one are not asked together.
    under_way: HashSet<SessionId>,
}

impl<A> Default for Queue<A> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            next_ticket: 0,
            running: 0,
            under_way: HashSet::new(),
        }
    }
}

impl<A: Ask> Queue<A> {
    /// Returns its ticket, and whether somebody has to begin a batch.
    pub(crate) fn enter(
        &mut self,
        ask: A,
        deadline: Instant,
        answer: oneshot::Sender<Result<Answer, Error>>,
    ) -> (u64, bool) {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.waiting.push_back(Waiting {
            ask,
            deadline,
            answer,
            ticket,
            is_urgent: false,
        });
        (ticket, self.begin_if(self.is_worth_another()))
    }

    /// Whether somebody has to begin a batch for one who has been waiting for long: what is under way takes longer. If
    /// as many are under way as may be, the next that ends is followed by one.
    pub(crate) fn hurry(&mut self, ticket: u64) -> bool {
        let mut waiting = self.waiting.iter_mut();
        let Some(waiting) = waiting.find(|waiting| waiting.ticket == ticket) else {
            return false;
        };
        waiting.is_urgent = true;
        self.begin_if(true)
    }

    fn is_worth_another(&self) -> bool {
        self.waiting.len() >= WORTH_ANOTHER || self.waiting.iter().any(|waiting| waiting.is_urgent)
    }

    /// Whether somebody has to begin a batch, also beside another one if it `is_worth` it.
    fn begin_if(&mut self, is_worth: bool) -> bool {
        let begins = self.running == 0 || (is_worth && self.running < A::BATCHES);
        self.running += usize::from(begins);
        begins
    }

    /// Whether it was still waiting: then nothing was done.
    pub(crate) fn leave(&mut self, ticket: u64) -> bool {
        let place = self.waiting.iter().position(|waiting| waiting.ticket == ticket);
        place.is_some_and(|place| self.waiting.remove(place).is_some())
    }

    /// The next batch of one who runs batches, which is empty if others do and can be left to it.
    pub(crate) fn take_next(&mut self) -> Vec<Joint<A>> {
        if self.running > 1 && !self.is_worth_another() {
            self.running -= 1;
            return Vec::new();
        }
        self.take()
    }

    /// A batch, in the order in which they came. If it is empty, whoever runs batches is counted no more: what
    /// is left has to wait for another batch, and is taken after it.
    pub(crate) fn take(&mut self) -> Vec<Joint<A>> {
        let now = Instant::now();
        let (mut batch, mut later) = (Vec::<Joint<A>>::new(), VecDeque::new());
        let (mut bytes, mut places) = (0, HashMap::new());
        while let Some(waiting) = self.waiting.pop_front() {
            if waiting.deadline <= now {
                // Whoever is still there leaves by itself.
                if !waiting.answer.is_closed() {
                    later.push_back(waiting);
                }
                continue;
            }
            let size = waiting.ask.size();
            match self.place(&waiting.ask, &places) {
                Place::New if batch.len() == MOST || (!batch.is_empty() && bytes + size > MOST_BYTES) => {
                    later.push_back(waiting);
                    break;
                }
                Place::New => {
                    if A::ONE_EACH {
                        places.extend(waiting.ask.ids().iter().map(|id| (*id, Some(batch.len()))));
                    }
                    bytes += size;
                    batch.push(Joint::of(waiting));
                }
                Place::With(place) => {
                    if let Err(waiting) = batch[place].join(waiting) {
                        // Nor is anyone joined who came after.
                        places.extend(waiting.ask.ids().iter().map(|id| (*id, None)));
                        later.push_back(waiting);
                    }
                }
                Place::Later => later.push_back(waiting),
            }
        }
        later.append(&mut self.waiting);
        self.waiting = later;
        self.under_way.extend(places.into_keys());
        self.running -= usize::from(batch.is_empty());
        batch
    }

    fn place(&self, ask: &A, places: &HashMap<SessionId, Option<usize>>) -> Place {
        if !A::ONE_EACH {
            return Place::New;
        }
        let mut found = ask.ids().iter().map(|id| match places.get(id) {
            Some(Some(place)) => Place::With(*place),
            Some(None) => Place::Later,
            None if self.under_way.contains(id) => Place::Later,
            None => Place::New,
        });
        found.find(|place| !matches!(place, Place::New)).unwrap_or(Place::New)
    }

    /// What was asked of these sessions is answered. Returns whether somebody has to begin a batch: those who waited
    /// for that.
    pub(crate) fn done(&mut self, ids: &[SessionId]) -> bool {
        for id in ids {
            self.under_way.remove(id);
        }
        !self.waiting.is_empty() && self.begin_if(self.is_worth_another())
    }

    /// Whoever ran batches is gone, and nobody says any more what was answered.
    pub(crate) fn give_up(&mut self) {
        self.running -= 1;
        self.under_way.clear();
    }
}

/// Where one who waits belongs.
enum Place {
    New,
    With(usize),
    Later,
}

impl<A: Ask> Joint<A> {
    const fn of(first: Waiting<A>) -> Self {
        Self {
            first,
            others: Vec::new(),
            joined: None,
        }
    }

    pub(crate) fn ask(&self) -> &A {
        self.joined.as_ref().unwrap_or(&self.first.ask)
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = &Waiting<A>> {
        iter::once(&self.first).chain(&self.others)
    }

    /// Its members, in the order in which they came, and how many come after each.
    pub(crate) fn into_members(self) -> impl Iterator<Item = (Waiting<A>, u64)> {
        let later = (0..=self.others.len() as u64).rev();
        iter::once(self.first).chain(self.others).zip(later)
    }

    pub(crate) fn is_one(&self) -> bool {
        self.others.is_empty()
    }

    fn join(&mut self, next: Waiting<A>) -> Result<(), Waiting<A>> {
        match self.ask().join(&next.ask) {
            None => Err(next),
            joined => {
                self.joined = joined;
                self.others.push(next);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
