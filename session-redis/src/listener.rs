use std::{
    error::Error as StdError,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{
    StreamExt,
    future::{Either, select},
};
use redis::{
    RedisError,
    aio::{PubSub, PubSubSink, PubSubStream},
};
use session_core::Watch;
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::{
    announcement::Announcement,
    backoff::pause,
    error::ConnectError,
    servers::{ListeningPost, Servers},
};

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
    servers: Arc<Servers>,
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
    pub(crate) fn new(servers: &Arc<Servers>, channel: String) -> Self {
        Self {
            watch: Watch::new(),
            servers: Arc::clone(servers),
            channel,
            task: Mutex::default(),
        }
    }

    /// Begins to listen, unless it does. A task that is gone went with the runtime that it was spawned in.
    pub(crate) fn watch(&self) -> &Watch {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if task.as_ref().is_none_or(JoinHandle::is_finished) {
            let (watch, servers) = (self.watch.clone(), Arc::clone(&self.servers));
            let channel = self.channel.clone();
            *task = Some(tokio::spawn(async move { listen(&watch, &servers, &channel).await }));
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

async fn listen(watch: &Watch, servers: &Servers, channel: &str) {
    let mut failures = 0;
    loop {
        let reason = match subscribe(servers, channel).await {
            Ok((post, subscription)) => {
                failures = 0;
                let (hearing, leaving) = (hear(watch, channel, subscription), post.until_it_is_left());
                match select(pin!(hearing), pin!(leaving)).await {
                    Either::Left((reason, _)) => reason,
                    Either::Right(_) => Deaf::Lost,
                }
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

type Subscription = (PubSubSink, PubSubStream);

async fn subscribe(servers: &Servers, channel: &str) -> Result<(ListeningPost, Subscription), Deaf> {
    let (options, dialer) = (servers.options(), servers.dialer());
    let subscribing = async {
        let post = servers.listening_post().await.map_err(Deaf::Connect)?;
        let stream = dialer.stream(&post.address).await.map_err(Deaf::Connect)?;
        let opened = PubSub::new(&options.login, stream.io).await;
        let refused = |source| ConnectError::refused(&post.address, &options.login, source);
        let opened = opened.map_err(|source| Deaf::Connect(refused(source)))?;
        let (mut sink, messages) = opened.split();
        let subscribed = sink.subscribe(channel).await;
        subscribed.map_err(|source| {
            if source.is_io_error() || source.is_connection_dropped() {
                return Deaf::Lost;
            }
            let channel = channel.to_owned();
            Deaf::Refused { channel, source }
        })?;
        Ok((post, (sink, messages)))
    };
    timeout(options.connect_timeout, subscribing)
        .await
        .unwrap_or_else(|_| Err(Deaf::Connect(dialer.late(&options.topology))))
}

/// Passes on what is told, until the connection is lost.
async fn hear(watch: &Watch, channel: &str, (mut sink, mut messages): Subscription) -> Deaf {
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
