use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use redis::{Cmd, PushInfo, PushKind, Value, aio::MultiplexedConnection};
use session_core::{NearCache, NearLink};
use tokio::{task::JoinHandle, time::sleep};

use crate::{RedisOptions, keys::Keys};

/// A near cache's side of the connection.
///
/// The server remembers which keys a connection has read, and tells on it, between answers, when another one changes
/// them, whoever that is; also when they expire. So whatever is answered on the connection comes after all that was to
/// be told of what happened before.
#[derive(Debug)]
pub(crate) struct Near {
    pub(crate) cache: NearCache,
    keys: Arc<Keys>,
}

/// What one connection tells the cache. Nothing, once it is lost.
#[derive(Clone, Debug)]
pub(crate) struct NearEar {
    near: Arc<Near>,
    link: Arc<Mutex<Option<NearLink>>>,
}

impl Near {
    pub(crate) fn new(options: &RedisOptions, keys: &Arc<Keys>) -> Option<Arc<Self>> {
        Some(Arc::new(Self {
            cache: NearCache::new(options.near_cache?, options.near_cache_lease),
            keys: Arc::clone(keys),
        }))
    }

    /// A connection begins, on which the server will be asked to tell.
    pub(crate) fn begin(self: &Arc<Self>) -> NearEar {
        NearEar {
            near: Arc::clone(self),
            link: Arc::new(Mutex::new(Some(self.cache.link()))),
        }
    }
}

impl NearEar {
    /// The command that asks the server to tell. This connection's own changes it keeps to itself: whoever makes them
    /// knows of them first.
    pub(crate) fn ask() -> Cmd {
        let mut command = redis::cmd("CLIENT");
        command.arg("TRACKING").arg("ON").arg("NOLOOP");
        command
    }

    /// Passes on what the server tells.
    pub(crate) fn hear(&self, push: &PushInfo) {
        match push.kind {
            PushKind::Invalidate => self.with_link(|link| self.pass_on(link, &push.data)),
            PushKind::Disconnection => self.hang_up(),
            _ => {}
        }
    }

    fn pass_on(&self, link: &NearLink, told: &[Value]) {
        for told in told {
            match told {
                Value::Array(keys) => {
                    let ids = keys.iter().filter_map(|key| match key {
                        Value::BulkString(key) => self.near.keys.read_session(key),
                        _ => None,
                    });
                    ids.for_each(|id| link.changed(&id));
                }
                // All keys are gone, or more than the server can remember.
                _ => link.all_changed(),
            }
        }
    }

    /// Asks for a sign of life, often enough for the lease, while anybody wants to read from the cache.
    pub(crate) fn keep(&self, mut connection: MultiplexedConnection) -> JoinHandle<()> {
        let ear = self.clone();
        tokio::spawn(async move {
            loop {
                if ear.with_link(NearLink::is_wanted) {
                    let sent = Instant::now();
                    if connection.send_packed_command(&redis::cmd("PING")).await.is_ok() {
                        ear.with_link(|link| link.prove(sent));
                    }
                }
                sleep(ear.near.cache.lease() / 3).await;
            }
        })
    }

    /// The connection is lost, or let go.
    pub(crate) fn hang_up(&self) {
        self.link.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn with_link<T: Default>(&self, tell: impl FnOnce(&NearLink) -> T) -> T {
        let link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        link.as_ref().map(tell).unwrap_or_default()
    }
}
