use std::{
    error::Error as StdError,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::StreamExt;
use redis::{
    RedisError,
    aio::{PubSub, PubSubSink, PubSubStream},
};
use session_core::Watch;
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::{announcement::Announcement, backoff::pause, connection::Connection, error::ConnectError, wire::Stream};

/// After this long without a word the server is asked for a sign of life.
const SILENCE: Duration = Duration::from_millis(700);

/// How long that may take. Whoever takes a slow server for lost looks a few times too often.
const PING_LIMIT: Duration = Duration::from_millis(500);

/// How long nothing is tried after the server has refused the subscription: its user may not subscribe.
const REFUSED: Duration = Duration::from_secs(30);

/// Listens to what the scripts of all instances tell of sessions, on a connection of its own, from when somebody first
/// wants to know; dropped, it hangs up.
pub(crate) struct Listener {
    watch: Watch,
    connection: Arc<Connection>,
    channel: String,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// Why nothing is heard.
#[derive(Debug, thiserror::Error)]
enum Deaf {
    #[error("there is no connection to listen on")]
    Connect(#[source] ConnectError),

    #[error("Redis lets nobody subscribe to {channel:?}")]
    Refused { channel: String, source: RedisError },

    #[error("the connection to listen on was lost")]
    Lost,
}

impl Listener {
    pub(crate) fn new(connection: &Arc<Connection>, channel: String) -> Self {
        Self {
            watch: Watch::new(),
            connection: Arc::clone(connection),
            channel,
            task: Mutex::default(),
        }
    }

    /// Begins to listen, unless it does. A task that is gone went with the runtime that it was spawned in.
    pub(crate) fn watch(&self) -> &Watch {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if task.as_ref().is_none_or(JoinHandle::is_finished) {
            let (watch, connection) = (self.watch.clone(), Arc::clone(&self.connection));
            let channel = self.channel.clone();
            *task = Some(tokio::spawn(async move { listen(&watch, &connection, &channel).await }));
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

async fn listen(watch: &Watch, connection: &Connection, channel: &str) {
    let mut failures = 0;
    loop {
        let reason = match subscribe(connection, channel).await {
            Ok(subscription) => {
                failures = 0;
                hear(watch, channel, subscription).await
            }
            Err(reason) => reason,
        };
        // Once is enough while it lasts.
        if failures == 0 {
            tracing::warn!(
                error = &reason as &dyn StdError,
                "ends of sessions are not heard of: those who wait for them look every second meanwhile"
            );
        }
        failures += 1;
        match reason {
            Deaf::Refused { .. } => sleep(REFUSED).await,
            Deaf::Connect(_) | Deaf::Lost => sleep(pause(failures)).await,
        }
    }
}

async fn subscribe(connection: &Connection, channel: &str) -> Result<(PubSubSink, PubSubStream), Deaf> {
    let options = connection.options();
    let subscribing = async {
        let stream = Stream::open(options, connection.tls()).await.map_err(Deaf::Connect)?;
        let opened = PubSub::new(&options.login, stream.io).await;
        let opened = opened.map_err(|source| Deaf::Connect(ConnectError::refused(options, source)))?;
        let (mut sink, messages) = opened.split();
        let subscribed = sink.subscribe(channel).await;
        subscribed.map_err(|source| {
            if source.is_io_error() || source.is_connection_dropped() {
                return Deaf::Lost;
            }
            let channel = channel.to_owned();
            Deaf::Refused { channel, source }
        })?;
        Ok((sink, messages))
    };
    let limit = options.connect_timeout;
    let late = || ConnectError::Late {
        address: options.address(),
        limit,
    };
    timeout(limit, subscribing)
        .await
        .unwrap_or_else(|_| Err(Deaf::Connect(late())))
}

/// Passes on what is told, until the connection is lost.
async fn hear(watch: &Watch, channel: &str, (mut sink, mut messages): (PubSubSink, PubSubStream)) -> Deaf {
    let link = watch.link();
    loop {
        match timeout(SILENCE, messages.next()).await {
            Ok(Some(message)) => {
                if let Some(announcement) = Announcement::read(message.get_payload_bytes()) {
                    announcement.pass_on(&link);
                }
            }
            Ok(None) => return Deaf::Lost,
            Err(_silence) => {
                // To subscribe again changes nothing, and is answered.
                let alive = timeout(PING_LIMIT, sink.subscribe(channel)).await;
                if !matches!(alive, Ok(Ok(()))) {
                    return Deaf::Lost;
                }
            }
        }
    }
}
