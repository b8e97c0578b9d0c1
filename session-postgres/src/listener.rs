use std::{
    error::Error as StdError,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use session_core::Watch;
use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::{PostgresOptions, announcement::Announcement, backoff::pause, error::ConnectError, statement::CHANGES};

/// After this long without a word the server is asked for a sign of life.
const SILENCE: Duration = Duration::from_millis(700);

/// How long that may take. Whoever takes a slow server for lost looks a few times too often.
const PING_LIMIT: Duration = Duration::from_millis(500);

/// Listens to what the statements of all instances tell of sessions, on a connection of its own, from when somebody
/// first wants to know; dropped, it hangs up.
pub(crate) struct Listener {
    watch: Watch,
    options: PostgresOptions,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// Why nothing is heard.
#[derive(Debug, thiserror::Error)]
enum Deaf {
    #[error("there is no connection to listen on")]
    Connect(#[source] ConnectError),

    #[error("the connection to listen on was lost")]
    Lost(#[source] Option<sqlx::Error>),
}

impl Listener {
    pub(crate) fn new(options: PostgresOptions) -> Self {
        Self {
            watch: Watch::new(),
            options,
            task: Mutex::default(),
        }
    }

    /// Begins to listen, unless it does. A task that is gone went with the runtime that it was spawned in.
    pub(crate) fn watch(&self) -> &Watch {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if task.as_ref().is_none_or(JoinHandle::is_finished) {
            let (watch, options) = (self.watch.clone(), self.options.clone());
            *task = Some(tokio::spawn(async move { listen(&watch, &options).await }));
        }
        &self.watch
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let task = self.task.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = task {
            task.abort();
        }
    }
}

async fn listen(watch: &Watch, options: &PostgresOptions) {
    let mut failures = 0;
    loop {
        let reason = match subscribe(options).await {
            Ok(listener) => {
                failures = 0;
                hear(watch, listener).await
            }
            Err(error) => Deaf::Connect(error),
        };
        // Once is enough while it lasts.
        if failures == 0 {
            tracing::warn!(
                error = &reason as &dyn StdError,
                "ends of sessions are not heard of: those who wait for them look every second meanwhile"
            );
        }
        failures += 1;
        sleep(pause(failures)).await;
    }
}

async fn subscribe(options: &PostgresOptions) -> Result<PgListener, ConnectError> {
    let limit = options.connect_timeout;
    let subscribing = async {
        // The driver's listener takes its connection from a pool. A pool of one that lives as long as the connection
        // gives it no other, so none is opened without our knowing.
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .max_lifetime(None)
            .idle_timeout(None);
        let pool = pool.connect_with(options.server(options.command_timeout)).await?;
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.eager_reconnect(false);
        listener.listen(CHANGES).await?;
        Ok(listener)
    };
    match timeout(limit, subscribing).await {
        Ok(subscribed) => subscribed.map_err(|source| ConnectError::new(options, source)),
        Err(_) => Err(ConnectError::late(options, limit)),
    }
}

/// Passes on what is told, until the connection is lost.
async fn hear(watch: &Watch, mut listener: PgListener) -> Deaf {
    let link = watch.link();
    loop {
        match timeout(SILENCE, listener.try_recv()).await {
            Ok(Ok(Some(notification))) => {
                for announcement in Announcement::read_all(notification.payload()) {
                    announcement.pass_on(&link);
                }
            }
            Ok(Ok(None)) => return Deaf::Lost(None),
            Ok(Err(error)) => return Deaf::Lost(Some(error)),
            // To listen again changes nothing, and is answered.
            Err(_silence) => match timeout(PING_LIMIT, listener.listen(CHANGES)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return Deaf::Lost(Some(error)),
                Err(_) => return Deaf::Lost(None),
            },
        }
    }
}
