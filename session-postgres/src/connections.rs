//! The store's links to the server.
//!
//! sqlx's own pool asks the server for a sign of life before each use and after it, and waits for both without a limit.
//! Here a statement is one round trip, once its connection has prepared it, and everything ends at a deadline.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::TryStreamExt;
use session_core::Error;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor,
    postgres::{PgArguments, PgConnectOptions, PgConnection, PgRow},
};
use tokio::{
    sync::{self, Semaphore, oneshot},
    time::{Instant, sleep_until, timeout, timeout_at},
};

use crate::{
    PostgresOptions,
    backoff::{Backoff, pause},
    error::{Cause, ConnectError, Failure},
    statement::Statement,
};

/// How often a statement is tried that was certainly not done.
const TRIES: u32 = 3;

/// A connection that nobody used for this long is asked for a sign of life first: whatever lies in between may have
/// forgotten it.
const IDLE_LIMIT: Duration = Duration::from_secs(10);

/// A connection that was opened less than this ago leads where the server's name leads now: if it takes no writes
/// there, another one does not either.
const NEW: Duration = Duration::from_millis(500);

/// A bounded number of connections, opened when they are needed.
///
/// One at a time is opened; after a failure nobody tries for a while, and whoever asks meanwhile hears of that failure.
pub(crate) struct Connections {
    options: PostgresOptions,
    server: PgConnectOptions,
    permits: Semaphore,
    /// Who asks something that may wait for a locked session. The other connections are for those who need not.
    pub(crate) lock_waits: Semaphore,
    idle: Mutex<Vec<Idle>>,
    gate: Arc<sync::Mutex<Backoff>>,
}

/// A connection, and when it was opened.
struct Open {
    connection: PgConnection,
    opened: Instant,
}

struct Idle {
    open: Open,
    since: Instant,
    /// Another connection to the server was slow to answer: this one may be dead too.
    doubted: bool,
}

impl Connections {
    pub(crate) fn new(options: PostgresOptions) -> Self {
        // One is the listener's.
        let connections = options.connections.saturating_sub(1).max(1);
        Self {
            // The server gives up first, so that its answer is what is heard.
            server: options.server(options.command_timeout * 9 / 10),
            permits: Semaphore::new(connections),
            lock_waits: Semaphore::new(connections.div_ceil(2)),
            idle: Mutex::default(),
            gate: Arc::default(),
            options,
        }
    }

    pub(crate) fn options(&self) -> &PostgresOptions {
        &self.options
    }

    /// Opens a connection unless one is there.
    pub(crate) async fn open(self: &Arc<Self>) -> Result<(), Error> {
        let limit = self.options.connect_timeout;
        let deadline = Instant::now() + limit + Duration::from_millis(100);
        let open = self.take(deadline, limit).await?;
        self.put_back(open);
        Ok(())
    }

    /// Runs a statement and returns its rows, before the deadline. It runs to its end also if the caller goes away.
    pub(crate) async fn fetch(
        self: &Arc<Self>,
        statement: &Statement,
        arguments: PgArguments,
        deadline: Instant,
    ) -> Result<Vec<PgRow>, Error> {
        let (connections, statement) = (Arc::clone(self), statement.clone());
        let task = tokio::spawn(async move { connections.run(&statement, arguments, deadline).await });
        task.await.unwrap_or_else(|panic| Err(Error::unknown(panic)))
    }

    /// Runs a statement and returns its rows, before the deadline. The caller must stay.
    pub(crate) async fn run(
        self: &Arc<Self>,
        statement: &Statement,
        arguments: PgArguments,
        deadline: Instant,
    ) -> Result<Vec<PgRow>, Error> {
        let permit = timeout_at(deadline, self.permits.acquire()).await;
        let Ok(Ok(_permit)) = permit else {
            return Err(Error::unavailable("all connections to PostgreSQL are busy"));
        };
        let mut tries = 0;
        loop {
            let mut open = self.take(deadline, self.options.command_timeout).await?;
            let failure = match fetch(&mut open.connection, statement, arguments.clone(), deadline).await {
                Ok(rows) => {
                    self.put_back(open);
                    return Ok(rows);
                }
                Err(failure) => failure,
            };
            if failure.is_late() {
                // The server is overloaded, or it is gone without a word: the next call finds out.
                self.idle().iter_mut().for_each(|idle| idle.doubted = true);
            } else if failure.is_read_only() {
                // The name may lead to another server by now.
                self.idle().retain(|idle| idle.open.is_new());
                if open.is_new() {
                    self.put_back(open);
                }
            } else if failure.is_of_link() {
                self.idle().clear();
            } else {
                self.put_back(open);
            }
            tries += 1;
            let may_be_done = statement.writes && !failure.is_not_done();
            if may_be_done || tries == TRIES || !failure.is_passing() {
                return Err(failure.into_error(may_be_done, &self.options));
            }
            if !failure.is_of_link() {
                // Another transaction was in the way: it needs a moment to take what it waited for.
                sleep_until(deadline.min(Instant::now() + pause(tries + 2))).await;
            }
        }
    }

    /// An idle connection, or a new one. `limit` is what the deadline is told as.
    async fn take(self: &Arc<Self>, deadline: Instant, limit: Duration) -> Result<Open, Error> {
        let late = || Error::unavailable(ConnectError::late(&self.options, limit));
        if let Some(open) = self.take_idle(deadline).await {
            return Ok(open);
        }
        let Ok(gate) = timeout_at(deadline, Arc::clone(&self.gate).lock_owned()).await else {
            return Err(late());
        };
        // Somebody may have put one back meanwhile.
        if let Some(open) = self.take_idle(deadline).await {
            return Ok(open);
        }
        if let Some(error) = gate.refusal() {
            return Err(error.into_error());
        }
        let (sender, receiver) = oneshot::channel();
        tokio::spawn(Arc::clone(self).connect(gate, sender));
        match timeout_at(deadline, receiver).await {
            Ok(Ok(Ok(open))) => Ok(open),
            Ok(Ok(Err(error))) => Err(error.into_error()),
            Ok(Err(_)) | Err(_) => Err(late()),
        }
    }

    /// Opens a connection for whoever waits for it; if nobody does any more, for the next one.
    async fn connect(
        self: Arc<Self>,
        mut gate: sync::OwnedMutexGuard<Backoff>,
        waiting: oneshot::Sender<Result<Open, Arc<ConnectError>>>,
    ) {
        let limit = self.options.connect_timeout;
        let error = match timeout(limit, self.server.connect()).await {
            Ok(Ok(connection)) => {
                gate.reset();
                let opened = Instant::now();
                if let Err(Ok(unclaimed)) = waiting.send(Ok(Open { connection, opened })) {
                    self.put_back(unclaimed);
                }
                return;
            }
            Ok(Err(source)) => ConnectError::new(&self.options, source),
            Err(_) => ConnectError::late(&self.options, limit),
        };
        let error = Arc::new(error);
        gate.failed(Arc::clone(&error));
        drop(gate);
        let _nobody_waits = waiting.send(Err(error));
    }

    async fn take_idle(&self, deadline: Instant) -> Option<Open> {
        loop {
            let Idle {
                mut open,
                since,
                doubted,
            } = self.idle().pop()?;
            if !doubted && since.elapsed() < IDLE_LIMIT {
                return Some(open);
            }
            // Half of the time is left for opening another one.
            let now = Instant::now();
            let limit = deadline.saturating_duration_since(now) / 2;
            if matches!(timeout(limit, open.connection.ping()).await, Ok(Ok(()))) {
                return Some(open);
            }
            self.idle().clear();
        }
    }

    fn put_back(&self, open: Open) {
        let since = Instant::now();
        self.idle().push(Idle {
            open,
            since,
            doubted: false,
        });
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn is_new(&self) -> bool {
        self.opened.elapsed() < NEW
    }
}

async fn fetch(
    connection: &mut PgConnection,
    statement: &Statement,
    arguments: PgArguments,
    deadline: Instant,
) -> Result<Vec<PgRow>, Failure> {
    let mut rows = Vec::new();
    let mut answered = false;
    let query = sqlx::query_with(AssertSqlSafe(Arc::clone(&statement.text)), arguments);
    let mut answer = connection.fetch_many(query);
    let done = timeout_at(deadline, async {
        while let Some(part) = answer.try_next().await? {
            answered = true;
            rows.extend(part.right());
        }
        Ok(())
    });
    let error = match done.await {
        Ok(Ok(())) => return Ok(rows),
        Ok(Err(error)) => Cause::Driver(error),
        Err(_) => Cause::Late,
    };
    Err(Failure { error, answered })
}
