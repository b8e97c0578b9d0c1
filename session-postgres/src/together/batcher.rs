use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use session_core::{Error, SessionId};
use sqlx::postgres::PgRow;
use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};

use super::{
    Ask,
    queue::{Answer, Joint, Queue, Waiting},
};
use crate::{
    connections::Connections,
    error::{is_refusal, late, share},
    record::decode_id,
    statement::Statements,
};

/// How much longer than until its deadline one waits for an answer.
const LAST_WORD: Duration = Duration::from_millis(20);

/// How long one waits for the batch under way before another one begins: it may be stuck.
const PATIENCE: Duration = Duration::from_millis(20);

/// Asks the server, for as many at once as are waiting.
pub(crate) struct Batcher<A> {
    connections: Arc<Connections>,
    statements: Arc<Statements>,
    queue: Mutex<Queue<A>>,
}

impl<A: Ask> Batcher<A> {
    pub(crate) fn new(connections: &Arc<Connections>, statements: &Arc<Statements>) -> Arc<Self> {
        Arc::new(Self {
            connections: Arc::clone(connections),
            statements: Arc::clone(statements),
            queue: Mutex::default(),
        })
    }

    /// The rows of the sessions asked for, before the deadline.
    ///
    /// Once the server was asked, it runs to its end also if the caller goes away.
    pub(crate) async fn ask(self: &Arc<Self>, ask: A, deadline: Instant) -> Result<Answer, Error> {
        if ask.is_apart() {
            let (statement, arguments) = (A::alone(&self.statements), A::arguments(&[&ask])?);
            let rows = self.connections.fetch(statement, arguments, deadline).await?;
            return Ok(Answer::of(rows));
        }
        let (answer, mut answered) = oneshot::channel();
        let (ticket, begins) = self.queue().enter(ask, deadline, answer);
        if begins {
            self.begin();
        } else if let Ok(answer) = timeout_at(deadline.min(Instant::now() + PATIENCE), &mut answered).await {
            return answer.unwrap_or_else(|gone| Err(Error::unknown(gone)));
        } else if self.queue().hurry(ticket) {
            self.begin();
        }
        // Whoever asks the server for it knows better why it is late.
        match timeout_at(deadline + LAST_WORD, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(gone)) => Err(Error::unknown(gone)),
            Err(_) => {
                let was_asked = !self.queue().leave(ticket);
                Err(late(was_asked && self.writes(), self.connections.options()))
            }
        }
    }

    fn begin(self: &Arc<Self>) {
        tokio::spawn(Arc::clone(self).run());
    }

    /// Asks batch by batch, until nobody waits.
    async fn run(self: Arc<Self>) {
        let mut running = Running(Some(&self));
        let mut batch = self.queue().take();
        while !batch.is_empty() {
            self.ask_together(batch).await;
            batch = self.queue().take_next();
        }
        running.0 = None;
    }

    /// Whoever gets no row is asked for alone, beside the next batches: its session may be locked. And all are if the
    /// server refused the batch, for one of them may be what is wrong.
    async fn ask_together(self: &Arc<Self>, batch: Vec<Joint<A>>) {
        let mut told = Vec::new();
        match self.rows_of(&batch).await {
            Ok(rows) => {
                for joint in batch {
                    let rows: Vec<_> = joint
                        .ask()
                        .ids()
                        .iter()
                        .filter_map(|id| rows.get(id))
                        .cloned()
                        .collect();
                    let is_missing = rows.is_empty() && self.writes();
                    if is_missing || !(joint.is_one() || rows.iter().all(|row| A::answers_all(row))) {
                        self.spawn_alone(joint);
                    } else {
                        told.extend(tell(joint, || Ok(rows.clone())));
                    }
                }
            }
            Err(error) if is_refusal(&error) && (batch.len() > 1 || !batch.iter().all(Joint::is_one)) => {
                batch.into_iter().for_each(|joint| self.spawn_alone(joint));
            }
            Err(error) => {
                let mut error = share(error);
                for joint in batch {
                    told.extend(tell(joint, || Err(error())));
                }
            }
        }
        self.done(&told);
    }

    fn done(self: &Arc<Self>, ids: &[SessionId]) {
        if A::ONE_EACH && self.queue().done(ids) {
            self.begin();
        }
    }

    async fn rows_of(&self, batch: &[Joint<A>]) -> Result<HashMap<SessionId, Arc<PgRow>>, Error> {
        let asks: Vec<_> = batch.iter().map(Joint::ask).collect();
        // Whoever has less time goes when it is over.
        let latest = batch
            .iter()
            .flat_map(Joint::members)
            .map(|waiting| waiting.deadline)
            .max();
        let deadline = latest.unwrap_or_else(Instant::now);
        let statement = A::together(&self.statements, &asks);
        let rows = self.connections.run(statement, A::arguments(&asks)?, deadline).await?;
        let rows = rows.into_iter().map(|row| Ok((decode_id(&row)?, Arc::new(row))));
        rows.collect::<Result<_, sqlx::Error>>().map_err(Error::unknown)
    }

    /// Asks for each of its members, one after another.
    fn spawn_alone(self: &Arc<Self>, joint: Joint<A>) {
        let batcher = Arc::clone(self);
        tokio::spawn(async move {
            let ids = joint.ask().ids().to_vec();
            for (waiting, _) in joint.into_members() {
                let answer = batcher.ask_alone(&waiting).await;
                waiting.tell(answer);
            }
            batcher.done(&ids);
        });
    }

    async fn ask_alone(&self, waiting: &Waiting<A>) -> Result<Answer, Error> {
        let permit = timeout_at(waiting.deadline, self.connections.lock_waits.acquire()).await;
        let in_time = Instant::now() < waiting.deadline;
        let (Ok(Ok(_permit)), true) = (permit, in_time) else {
            return Err(late(false, self.connections.options()));
        };
        let (statement, arguments) = (A::alone(&self.statements), A::arguments(&[&waiting.ask])?);
        let rows = self.connections.run(statement, arguments, waiting.deadline).await?;
        Ok(Answer::of(rows))
    }

    fn writes(&self) -> bool {
        A::alone(&self.statements).writes
    }

    fn queue(&self) -> MutexGuard<'_, Queue<A>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells each member, and returns the sessions that it was about.
fn tell<A: Ask>(joint: Joint<A>, mut rows: impl FnMut() -> Result<Vec<Arc<PgRow>>, Error>) -> Vec<SessionId> {
    let ids = joint.ask().ids().to_vec();
    for (waiting, later) in joint.into_members() {
        waiting.tell(rows().map(|rows| Answer { rows, later }));
    }
    ids
}

/// One who runs batches, on whom others count.
struct Running<'a, A: Ask>(Option<&'a Batcher<A>>);

impl<A: Ask> Drop for Running<'_, A> {
    fn drop(&mut self) {
        if let Some(batcher) = self.0 {
            batcher.queue().give_up();
        }
    }
}
