use std::{
    error::Error as StdError,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use session_core::{NearCache, Watch};
use sqlx::{
    Executor,
    postgres::{PgListener, PgNotification, PgPoolOptions},
};
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::{
    PostgresOptions,
    announcement::Announcement,
    backoff::pause,
    connections::Connections,
    error::ConnectError,
    near::{Near, NearEar},
    statement::CHANGES,
};

/// How often the server is asked for a sign of life, unless a near cache wants more.
const PAUSE: Duration = Duration::from_millis(700);

/// How long that may take. Whoever takes a slow server for lost looks a few times too often.
const PING_LIMIT: Duration = Duration::from_millis(500);

/// Listens to what the statements of all instances tell of sessions, on a connection of its own, from when somebody
/// first wants to know; dropped, it hangs up.
pub(crate) struct Listener {
    watch: Watch,
    near: Option<Arc<Near>>,
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
    pub(crate) fn new(connections: &Arc<Connections>) -> Self {
        Self {
            watch: Watch::new(),
            near: Near::new(connections).map(Arc::new),
            options: connections.options().clone(),
            task: Mutex::default(),
        }
    }

    /// Begins to listen, unless it does. A task that is gone went with the runtime that it was spawned in.
    pub(crate) fn watch(&self) -> &Watch {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if task.as_ref().is_none_or(JoinHandle::is_finished) {
            let (watch, near, options) = (self.watch.clone(), self.near.clone(), self.options.clone());
            *task = Some(tokio::spawn(
                async move { listen(&watch, near.as_deref(), &options).await },
            ));
        }
        &self.watch
    }

    /// The near cache, if there is to be one. It needs to hear what changes.
    pub(crate) fn near_cache(&self) -> Option<&NearCache> {
        let near = self.near.as_ref()?;
        self.watch();
        Some(&near.cache)
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

async fn listen(watch: &Watch, near: Option<&Near>, options: &PostgresOptions) {
    let mut failures = 0;
    loop {
        let reason = match subscribe(options).await {
            Ok(listener) => {
                failures = 0;
                Deaf::Lost(hear(watch, near, listener).await.err())
            }
            Err(error) => Deaf::Connect(error),
        };
        // Once is enough while it lasts.
        if failures == 0 {
            tracing::warn!(
                error = &reason as &dyn StdError,
                "changes of sessions are not heard of: those who wait for their ends look every second meanwhile, and a \
                 near cache serves nothing"
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
async fn hear(watch: &Watch, near: Option<&Near>, mut listener: PgListener) -> Result<(), sqlx::Error> {
    let link = watch.link();
    let mut near = near.map(Near::begin);
    let pass_on = |notification: PgNotification, near: &mut Option<NearEar<'_>>| {
        for announcement in Announcement::read_all(notification.payload()) {
            if let Some(near) = near {
                near.hear(&announcement);
            }
            announcement.pass_on(&link);
        }
    };
    let mut asked = Instant::now();
    loop {
        let due = near.as_ref().map_or(PAUSE, |near| near.pause(PAUSE));
        if let Some(left) = due.checked_sub(asked.elapsed()) {
            match timeout(left, listener.try_recv()).await {
                Ok(Ok(Some(notification))) => pass_on(notification, &mut near),
                Ok(Ok(None)) => return Ok(()),
                Ok(Err(error)) => return Err(error),
                Err(_due) => {}
            }
            continue;
        }
        if let Some(near) = &mut near {
            near.keep().await;
        }
        asked = Instant::now();
        // It is answered after all that there was to tell.
        match timeout(PING_LIMIT, listener.execute("SELECT 1")).await {
            Ok(Ok(_sign_of_life)) => {}
            Ok(Err(error)) => return Err(error),
            Err(_late) => return Ok(()),
        }
        while let Some(notification) = listener.next_buffered() {
            pass_on(notification, &mut near);
        }
        if let Some(near) = &near {
            near.prove(asked);
        }
    }
}
