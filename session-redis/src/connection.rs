//! The store's connection to the server.
//!
//! redis-rs's own manager of connections lets commands wait for ten seconds and more while the server is away. Here
//! everything ends at a deadline.

use std::{
    error::Error as StdError,
    sync::{Arc, PoisonError, RwLock},
};

use redis::{Pipeline, Value};
use session_core::Error;
use tokio::{
    sync::Mutex,
    time::{Instant, timeout_at},
};

use crate::{
    RedisOptions,
    backoff::Backoff,
    clock::Clock,
    envelope,
    error::{ConnectError, Effect, Failure, is_of_link, unexpected},
    keys::Keys,
    link::Link,
    near::{Near, NearEar},
    reply::{is_cluster, is_evicting, is_no_script, is_replica, read_time},
    script::Script,
    tls::Tls,
};

/// One connection, opened when it is needed and again when it is lost.
///
/// One attempt is made at a time; after a failure nobody tries for a while, and whoever asks meanwhile hears of that
/// failure.
pub(crate) struct Connection {
    options: RedisOptions,
    tls: Option<Tls>,
    current: RwLock<Option<Arc<Link>>>,
    gate: Mutex<Backoff>,
    pub(crate) clock: Clock,
    pub(crate) near: Option<Arc<Near>>,
}

impl Connection {
    pub(crate) fn new(options: RedisOptions, keys: &Arc<Keys>) -> Result<Self, Error> {
        options.check()?;
        Ok(Self {
            near: Near::new(&options, keys),
            tls: options.tls.then(|| Tls::new(&options)).transpose()?,
            current: RwLock::default(),
            gate: Mutex::default(),
            clock: Clock::default(),
            options,
        })
    }

    pub(crate) fn options(&self) -> &RedisOptions {
        &self.options
    }

    /// How the server's certificate is verified, if there is to be one.
    pub(crate) fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }

    /// Connects unless it is connected.
    pub(crate) async fn open(&self) -> Result<(), Error> {
        self.link().await.map(drop)
    }

    /// Runs scripts and returns their answers, errors of the server's among them. Those that the server does not know
    /// are taught to it and run then.
    pub(crate) async fn call(&self, calls: &Pipeline) -> Result<Vec<Value>, Error> {
        let mut answers = self.send(calls, Effect::Writes).await?;
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
        for (i, answer) in unknown.into_iter().zip(self.send(&again, Effect::Writes).await?) {
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
        let answers = self.exchange(commands, effect).await?.into_iter();
        let opened = answers.map(envelope::open).collect::<Result<_, _>>();
        opened.map_err(|_| unexpected(effect))
    }

    /// The same, and leaves the answers in their envelopes.
    pub(crate) async fn exchange(&self, commands: &Pipeline, effect: Effect) -> Result<Vec<Value>, Error> {
        let mut tried = false;
        loop {
            let link = self.link().await?;
            let failure = match link.exchange(commands, self.options.command_timeout).await {
                Ok(answers) => {
                    if answers.iter().any(is_of_link) {
                        self.retire(&link);
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

    async fn link(&self) -> Result<Arc<Link>, Error> {
        if let Some(link) = self.current() {
            return Ok(link);
        }
        let deadline = Instant::now() + self.options.connect_timeout;
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
        let address = self.options.address();
        gate.begin(ConnectError::Abandoned { address });
        let connected = timeout_at(deadline, self.connect()).await;
        match connected.unwrap_or_else(|_| Err(self.late())) {
            Ok(link) => {
                gate.reset();
                let link = Arc::new(link);
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&link));
                Ok(link)
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn StdError, "no connection to Redis");
                let error = Arc::new(error);
                gate.failed(Arc::clone(&error));
                Err(error.into_error())
            }
        }
    }

    /// Connects, and learns in one go what there is to know of the server.
    async fn connect(&self) -> Result<Link, ConnectError> {
        let link = Link::open(&self.options, self.tls.as_ref(), self.near.as_ref()).await?;
        let mut questions = redis::pipe();
        if self.near.is_some() {
            questions.add_command(NearEar::ask());
        }
        questions.cmd("ROLE");
        questions
            .cmd("INFO")
            .arg("cluster")
            .cmd("INFO")
            .arg("memory")
            .cmd("TIME");
        for script in Script::ALL {
            questions.add_command(script.load());
        }
        let answers = match link.send(&questions, self.options.connect_timeout).await {
            Ok(answers) => answers,
            Err(Failure::Late(_)) => return Err(self.late()),
            Err(Failure::Lost { source, .. }) => return Err(ConnectError::refused(&self.options, source)),
        };
        let mut answers = answers.into_iter();
        let address = self.options.address();
        if self.near.is_some()
            && let Some(Err(error)) = answers.next().map(Value::extract_error)
        {
            link.hang_up();
            tracing::warn!(
                error = &error as &dyn StdError,
                "the near cache serves nothing: Redis does not let this user say CLIENT TRACKING"
            );
        }
        // A user who may not ask the next three learns less.
        if answers.next().is_some_and(|role| is_replica(&role)) {
            return Err(ConnectError::Replica { address });
        }
        if answers.next().is_some_and(|info| is_cluster(&info)) {
            return Err(ConnectError::Cluster { address });
        }
        if answers.next().is_some_and(|info| is_evicting(&info)) {
            tracing::warn!(
                server = address,
                "Redis evicts lists of users' sessions, or what says that a session was renewed, when its memory is full: \
                 set its maxmemory-policy to noeviction or volatile-lru"
            );
        }
        for (i, answer) in answers.enumerate() {
            let answer = answer
                .extract_error()
                .map_err(|source| ConnectError::refused(&self.options, source))?;
            if let (0, Some(time)) = (i, read_time(&answer)) {
                self.clock.set(time);
            }
        }
        Ok(link)
    }

    fn late(&self) -> ConnectError {
        ConnectError::Late {
            address: self.options.address(),
            limit: self.options.connect_timeout,
        }
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
