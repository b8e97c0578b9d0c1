use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use session_core::{Error, SessionId};
use sqlx::postgres::PgRow;
use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};

use super::{
    Ask,
    queue::{Queue, Rows, Waiting},
};
use crate::{
    connections::Connections,
    error::{late, share},
    record::decode_id,
    statement::Statements,
};

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
    pub(crate) async fn ask(self: &Arc<Self>, ask: A, deadline: Instant) -> Result<Rows, Error> {
        let (answer, answered) = oneshot::channel();
        let (ticket, begins) = self.queue().enter(ask, deadline, answer);
        if begins {
            tokio::spawn(Arc::clone(self).run());
        }
        match timeout_at(deadline, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(gone)) => Err(Error::unknown(gone)),
            Err(_) => {
                let was_asked = !self.queue().leave(ticket);
                Err(late(was_asked && self.writes(), self.connections.options()))
            }
        }
    }

    /// The same for one that is not asked with others, and may wait for whom it likes.
    pub(crate) async fn ask_apart(&self, ask: A, deadline: Instant) -> Result<Rows, Error> {
        let (statement, arguments) = (A::alone(&self.statements), A::arguments(&[&ask])?);
        let rows = self.connections.fetch(statement, arguments, deadline).await?;
        Ok(rows.into_iter().map(Arc::new).collect())
    }

    /// Asks batch by batch, until nobody waits.
    async fn run(self: Arc<Self>) {
        let mut running = Running(Some(&self));
        loop {
            let batch = self.queue().take();
            if batch.is_empty() {
                break;
            }
            self.ask_together(batch).await;
        }
        running.0 = None;
    }

    /// Whoever gets no row is asked for alone, beside the next batches: its session may be locked. And all are if the
    /// batch failed and nothing was done, for one of them may be what is wrong.
    async fn ask_together(self: &Arc<Self>, batch: Vec<Waiting<A>>) {
        match self.rows_of(&batch).await {
            Ok(rows) => {
                for waiting in batch {
                    let found = waiting.ask.ids().iter().filter_map(|id| rows.get(id));
                    let found: Rows = found.cloned().collect();
                    if found.is_empty() && self.writes() {
                        self.spawn_alone(waiting);
                    } else {
                        waiting.tell(Ok(found));
                    }
                }
            }
            Err(error) => self.tell(batch, error),
        }
    }

    fn tell(self: &Arc<Self>, batch: Vec<Waiting<A>>, error: Error) {
        match <[_; 1]>::try_from(batch) {
            Ok([waiting]) => waiting.tell(Err(error)),
            Err(batch) if error.is_lasting() || matches!(error, Error::Unknown { .. }) => {
                let mut error = share(error);
                batch.into_iter().for_each(|waiting| waiting.tell(Err(error())));
            }
            Err(batch) => batch.into_iter().for_each(|waiting| self.spawn_alone(waiting)),
        }
    }

    async fn rows_of(&self, batch: &[Waiting<A>]) -> Result<HashMap<SessionId, Arc<PgRow>>, Error> {
        let asks: Vec<_> = batch.iter().map(|waiting| &waiting.ask).collect();
        // Whoever has less time goes when it is over.
        let latest = batch.iter().map(|waiting| waiting.deadline).max();
        let deadline = latest.unwrap_or_else(Instant::now);
        let statement = A::together(&self.statements);
        let rows = self.connections.run(statement, A::arguments(&asks)?, deadline).await?;
        let rows = rows.into_iter().map(|row| Ok((decode_id(&row)?, Arc::new(row))));
        rows.collect::<Result<_, sqlx::Error>>().map_err(Error::unknown)
    }

    fn spawn_alone(self: &Arc<Self>, waiting: Waiting<A>) {
        let batcher = Arc::clone(self);
        tokio::spawn(async move {
            let answer = batcher.ask_alone(&waiting).await;
            waiting.tell(answer);
        });
    }

    async fn ask_alone(&self, waiting: &Waiting<A>) -> Result<Rows, Error> {
        let Ok(Ok(_permit)) = timeout_at(waiting.deadline, self.connections.lock_waits.acquire()).await else {
            return Err(late(false, self.connections.options()));
        };
        let (statement, arguments) = (A::alone(&self.statements), A::arguments(&[&waiting.ask])?);
        let rows = self.connections.run(statement, arguments, waiting.deadline).await?;
        Ok(rows.into_iter().map(Arc::new).collect())
    }

    fn writes(&self) -> bool {
        A::alone(&self.statements).writes
    }

    fn queue(&self) -> MutexGuard<'_, Queue<A>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
