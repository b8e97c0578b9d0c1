//! The store's connection to the server.
//!
//! redis-rs's own manager of connections lets commands wait for ten seconds and more while the server is away. Here
//! everything ends at a deadline.

use std::{
    error::Error as StdError,
    pin::pin,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use futures_util::future::{Either, select};
use redis::{Pipeline, Value};
use session_core::Error;
use tokio::{
    sync::Mutex,
    time::{Instant, timeout_at},
};

use super::{clock::Clock, dialer::Dialer, place::Place, replicas::Replicas};
use crate::{
    backoff::Backoff,
    error::{ConnectError, Effect, is_of_link, unexpected},
    keys::Keys,
    near::Near,
    reply::{is_moved, is_no_script},
    script::Script,
    wire::{Link, envelope},
};

/// One connection, opened when it is needed and again when it is lost.
///
/// One attempt is made at a time; after a failure nobody tries for a while, and whoever asks meanwhile hears of that
/// failure.
pub(crate) struct Connection {
    pub(super) dialer: Arc<Dialer>,
    pub(super) place: Place,
    pub(super) keys: Arc<Keys>,
    pub(super) near: Option<Arc<Near>>,
    /// Set if what is done on it is acknowledged only when replicas have it.
    replicas: Option<Replicas>,
    current: RwLock<Option<Arc<Link>>>,
    /// How many there were.
    links: AtomicU64,
    gate: Mutex<Backoff>,
    pub(crate) clock: Clock,
    /// Whether there is a cluster where one server was expected.
    pub(super) found_cluster: AtomicBool,
}

impl Connection {
    pub(crate) fn new(dialer: &Arc<Dialer>, place: Place, keys: &Arc<Keys>) -> Self {
        Self {
            dialer: Arc::clone(dialer),
            place,
            keys: Arc::clone(keys),
            near: None,
            replicas: None,
            current: RwLock::default(),
            links: AtomicU64::default(),
            gate: Mutex::default(),
            clock: Clock::default(),
            found_cluster: AtomicBool::default(),
        }
    }

    /// With a near cache, which is told on it.
    pub(crate) fn telling(mut self, near: Option<Arc<Near>>) -> Self {
        self.near = near;
        self
    }

    /// For what is acknowledged only when replicas have it.
    pub(crate) fn waiting_for(mut self, replicas: Replicas) -> Self {
        self.replicas = Some(replicas);
        self
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Whether the server has said that it is a node of a cluster. Then nothing is sent to it here.
    pub(crate) fn found_cluster(&self) -> bool {
        self.found_cluster.load(Ordering::Acquire)
    }

    /// Connects unless it is connected.
    pub(crate) async fn open(&self) -> Result<(), Error> {
        self.link(None).await.map(drop)
    }

    /// How often it was opened. What was begun when it was another number may be half done: another server may have
    /// answered the rest.
    pub(crate) fn links(&self) -> u64 {
        self.links.load(Ordering::Acquire)
    }

    /// Whether there is a connection, as far as is known.
    pub(crate) fn is_open(&self) -> bool {
        self.current().is_some()
    }

    /// Runs scripts and returns their answers, errors of the server's among them. Those that the server does not know
    /// are taught to it and run then.
    pub(crate) async fn call(&self, calls: &Pipeline, effect: Effect) -> Result<Vec<Value>, Error> {
        let mut answers = self.send(calls, effect).await?;
        let unknown: Vec<_> = (0..answers.len()).filter(|i| is_no_script(&answers[*i])).collect();
        if unknown.is_empty() {
            return Ok(answers);
        }
        self.teach().await?;
        let calls: Vec<_> = calls.cmd_iter().collect();
        let mut again = redis::pipe();
        for i in &unknown {
            again.add_command(calls[*i].clone());
        }
        for (i, answer) in unknown.into_iter().zip(self.send(&again, effect).await?) {
            answers[i] = answer;
        }
        Ok(answers)
    }

    /// Makes the scripts known to the server.
    pub(crate) async fn teach(&self) -> Result<(), Error> {
        let mut loads = redis::pipe();
        for script in Script::ALL {
            loads.add_command(script.load());
        }
        self.send(&loads, Effect::Reads).await.map(drop)
    }

    /// Sends commands in one go and returns their answers, errors of the server's among them.
    pub(crate) async fn send(&self, commands: &Pipeline, effect: Effect) -> Result<Vec<Value>, Error> {
        envelope::open_all(self.exchange(commands, effect, None).await?).map_err(|_| unexpected(effect))
    }

    /// The same, by a deadline if there is one, and leaves the answers in their envelopes.
    pub(crate) async fn exchange(
        &self,
        commands: &Pipeline,
        effect: Effect,
        by: Option<Instant>,
    ) -> Result<Vec<Value>, Error> {
        let mut limit = self.dialer.options.command_timeout;
        if let Some(replicas) = &self.replicas {
            // Another may be waiting for them.
            limit += replicas.within;
        }
        let mut tried = false;
        loop {
            let link = self.link(by).await?;
            let limit = by.map_or(limit, |by| limit.min(by.saturating_duration_since(Instant::now())));
            let failure = match link.exchange(commands, limit).await {
                Ok(answers) => {
                    if answers.iter().any(is_of_link) {
                        self.retire(&link);
                    }
                    if matches!(self.place, Place::Server(_)) && answers.iter().any(is_moved) {
                        // It could not be asked when it was connected to.
                        self.found_cluster.store(true, Ordering::Release);
                    }
                    let refused = |answer: &Value| matches!(answer, Value::ServerError(_));
                    if let Some(replicas) = &self.replicas
                        && !answers.iter().all(refused)
                    {
                        Box::pin(replicas.wait(&link, self.dialer.options.command_timeout)).await?;
                    }
                    return Ok(answers);
                }
                Err(failure) => failure,
            };
            self.retire(&link);
            if tried || !failure.may_be_repeated(effect) {
                return Err(failure.into_error(effect));
            }
            tried = true;
        }
    }

    async fn link(&self, by: Option<Instant>) -> Result<Arc<Link>, Error> {
        match self.current() {
            Some(link) => Ok(link),
            // It happens seldom, and would be a large part of all that waits for answers.
            None => Box::pin(self.new_link(by)).await,
        }
    }

    async fn new_link(&self, by: Option<Instant>) -> Result<Arc<Link>, Error> {
        let deadline = Instant::now() + self.dialer.options.connect_timeout;
        let deadline = by.map_or(deadline, |by| by.min(deadline));
        let Ok(mut gate) = timeout_at(deadline, self.gate.lock()).await else {
            return Err(Error::unavailable(self.late()));
        };
        // Others may have been here meanwhile.
        if let Some(link) = self.current() {
            return Ok(link);
        }
        if let Some(error) = gate.refusal() {
            return Err(error.into_error());
        }
        let servers = self.place.to_string();
        gate.begin(ConnectError::Abandoned { servers });
        let connected = timeout_at(deadline, self.connect()).await;
        match connected.unwrap_or_else(|_| Err(self.late())) {
            Ok(link) => {
                gate.reset();
                let link = Arc::new(link);
                self.links.fetch_add(1, Ordering::AcqRel);
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&link));
                Ok(link)
            }
            Err(error) => {
                if !matches!(error, ConnectError::Cluster { .. }) {
                    tracing::warn!(error = &error as &dyn StdError, "no connection to Redis");
                }
                let error = Arc::new(error);
                gate.failed(Arc::clone(&error));
                Err(error.into_error())
            }
        }
    }

    async fn connect(&self) -> Result<Link, ConnectError> {
        let sentinels = match &self.place {
            Place::Server(address) | Place::Node(address) => return self.connect_to(address).await,
            Place::Primary(sentinels) => sentinels,
        };
        loop {
            let primary = sentinels.primary().await?;
            let changed = || Arc::clone(sentinels).until_after(primary.clone());
            // One that was frozen does not keep this from the one that came after.
            match select(pin!(self.connect_to(&primary.address)), pin!(changed())).await {
                Either::Left((link, _)) => return Ok(link?.until(changed())),
                Either::Right(_) => {}
            }
        }
    }

    pub(super) fn late(&self) -> ConnectError {
        self.dialer.late(&self.place)
    }

    fn current(&self) -> Option<Arc<Link>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().filter(|link| !link.is_lost()).cloned()
    }

    /// Lets go of a connection, unless there is a newer one already.
    fn retire(&self, link: &Arc<Link>) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, link)) {
            *current = None;
        }
    }
}
