use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::future::{BoxFuture, join_all};
use redis::{Pipeline, Value};
use session_core::{Error, SessionId};
use time::OffsetDateTime;
use tokio::time::Instant;

use super::{
    sentinels::{Primary, Sentinels},
    server::Server,
    topology::Topology,
};
use crate::{
    RedisOptions,
    cluster::{Cluster, Slot},
    connection::{Dialer, Ending, Place},
    error::{ConnectError, Effect, unexpected},
    keys::Keys,
    near::Near,
    reply::is_moved,
    wire::{Address, envelope},
};

/// The servers that a store speaks to: one, or the nodes of a cluster.
pub(crate) struct Servers {
    dialer: Arc<Dialer>,
    keys: Arc<Keys>,
    /// The one that is spoken to where there is no cluster.
    only: Arc<Server>,
    /// Known from the URL, or since the only one said that it is not.
    cluster: OnceLock<Cluster>,
    /// How often a place to listen was asked for.
    listened: AtomicUsize,
    pub(crate) near: Option<Arc<Near>>,
}

/// Where to listen, and what tells when that is the wrong place.
pub(crate) struct ListeningPost {
    pub(crate) address: Address,
    sentinels: Option<(Arc<Sentinels>, Primary)>,
}

impl Servers {
    pub(crate) fn new(options: RedisOptions, keys: &Arc<Keys>) -> Result<Self, Error> {
        let dialer = Arc::new(Dialer::new(options)?);
        let near = Near::new(&dialer.options, keys);
        let place = match &dialer.options.topology {
            Topology::Server(address) => Place::Server(address.clone()),
            Topology::Sentinel(service) => Place::Primary(Arc::new(Sentinels::new(&dialer, service))),
            Topology::Cluster(seeds) => {
                let address = seeds[0].clone();
                if near.is_some() {
                    return Err(Error::lasting(ConnectError::NearCluster { address }));
                }
                Place::Node(address)
            }
        };
        let servers = Self {
            only: Arc::new(Server::new(&dialer, place, keys, near.clone())),
            cluster: OnceLock::new(),
            listened: AtomicUsize::default(),
            keys: Arc::clone(keys),
            near,
            dialer,
        };
        if let Topology::Cluster(_) = servers.dialer.options.topology {
            servers.found_cluster();
        }
        Ok(servers)
    }

    pub(crate) fn options(&self) -> &RedisOptions {
        &self.dialer.options
    }

    pub(crate) fn dialer(&self) -> &Dialer {
        &self.dialer
    }

    /// This session has been ended, and is ended again wherever a connection leads to.
    pub(crate) fn note_ended(&self, id: SessionId) {
        self.dialer.ended.note(id);
    }

    /// The same holds of a session that is being ended.
    pub(crate) fn begin_end(&self, id: SessionId) -> Ending<'_> {
        self.dialer.ended.begin(id)
    }

    /// Connects unless it is connected: to the only server, or to the nodes of a cluster, one of which has to be there.
    pub(crate) async fn open(&self) -> Result<(), Error> {
        let servers = self.all().await?;
        if self.cluster().is_some() {
            let _some_are_away = join_all(servers.iter().map(|server| server.connection.open())).await;
        }
        Ok(())
    }

    /// Whether there are several servers that are written to. It takes a connection to know.
    pub(crate) async fn is_cluster(&self) -> Result<bool, Error> {
        if self.cluster.get().is_none()
            && let Err(error) = self.only.connection.open().await
            && !self.only.found_cluster()
        {
            return Err(error);
        }
        match self.cluster() {
            Some(cluster) => cluster.table(self.by()).await.map(|_| true),
            None => Ok(false),
        }
    }

    /// Each server that is written to.
    pub(crate) async fn all(&self) -> Result<Vec<Arc<Server>>, Error> {
        if self.is_cluster().await?
            && let Some(cluster) = self.cluster()
        {
            return cluster.primaries(self.by()).await;
        }
        Ok(vec![Arc::clone(&self.only)])
    }

    /// Runs scripts, each where its keys are, in no order, and returns their answers, errors of the server's among
    /// them. Those that a server does not know are taught to it and run then.
    pub(crate) async fn call(&self, calls: &Pipeline, effect: Effect) -> Result<Vec<Value>, Error> {
        if self.cluster().is_none() {
            let answers = self.only.connection_for(effect).call(calls, effect).await;
            if !self.is_news(&answers) {
                return answers;
            }
        }
        self.through_cluster(calls, effect)
            .await
            .and_then(|answers| opened(answers, effect))
    }

    /// Sends commands, each where its key is, in no order, and returns their answers, errors of the server's among
    /// them.
    pub(crate) async fn send(&self, commands: &Pipeline, effect: Effect) -> Result<Vec<Value>, Error> {
        opened(self.exchange(commands, effect).await?, effect)
    }

    /// The same, and leaves the answers in their envelopes.
    pub(crate) async fn exchange(&self, commands: &Pipeline, effect: Effect) -> Result<Vec<Value>, Error> {
        if self.cluster().is_none() {
            let answers = self.only.exchange(commands, effect, None).await;
            if !self.is_news(&answers) {
                return answers;
            }
        }
        self.through_cluster(commands, effect).await
    }

    /// Boxed, for it is long, and would be a part of what goes to the only server too.
    fn through_cluster<'a>(
        &'a self,
        commands: &'a Pipeline,
        effect: Effect,
    ) -> BoxFuture<'a, Result<Vec<Value>, Error>> {
        Box::pin(self.found_cluster().exchange(commands, effect))
    }

    /// Makes the scripts known to the only server. Nodes of a cluster get to know them when they are called.
    pub(crate) async fn teach(&self) -> Result<(), Error> {
        match self.cluster() {
            None => self.only.connection.teach().await,
            Some(_) => Ok(()),
        }
    }

    /// Whether the server should be asked what time it is. Nodes of a cluster are asked by themselves.
    pub(crate) fn wants_time(&self) -> bool {
        self.cluster.get().is_none() && self.only.connection.clock.is_old()
    }

    /// The only server has said what time it is.
    pub(crate) fn set_time(&self, time: OffsetDateTime) {
        self.only.connection.clock.set(time);
    }

    /// The time of the server that has a session, a little late.
    pub(crate) fn now(&self, id: &SessionId) -> Option<OffsetDateTime> {
        let Some(cluster) = self.cluster.get() else {
            return self.only.connection.clock.now();
        };
        let table = cluster.known_table()?;
        let (_, server) = table.owner(Slot::of(self.keys.session(id).as_bytes()))?;
        server.connection.clock.now()
    }

    /// A server to listen at for what scripts tell: what one tells in a cluster all nodes pass on.
    pub(crate) async fn listening_post(&self) -> Result<ListeningPost, ConnectError> {
        let at = |address: &Address| ListeningPost {
            address: address.clone(),
            sentinels: None,
        };
        if let Some(cluster) = self.cluster() {
            let (table, number) = (cluster.known_table(), self.listened.fetch_add(1, Ordering::Relaxed));
            let known = table
                .iter()
                .flat_map(|table| table.primaries())
                .map(|(address, _)| address);
            let all: Vec<_> = known.chain(self.options().topology.addresses()).collect();
            return Ok(at(all[number % all.len()]));
        }
        match self.only.connection.place() {
            Place::Server(address) | Place::Node(address) => Ok(at(address)),
            Place::Primary(sentinels) => {
                let primary = sentinels.primary().await?;
                Ok(ListeningPost {
                    address: primary.address.clone(),
                    sentinels: Some((Arc::clone(sentinels), primary)),
                })
            }
        }
    }

    /// The cluster, if it is known that there is one.
    fn cluster(&self) -> Option<&Cluster> {
        if self.cluster.get().is_none() && self.only.found_cluster() {
            self.found_cluster();
        }
        self.cluster.get()
    }

    fn found_cluster(&self) -> &Cluster {
        let seeds = self.options().topology.addresses();
        self.cluster
            .get_or_init(|| Cluster::new(&self.dialer, &self.keys, seeds))
    }

    /// Whether nothing was done because the only server is a node of a cluster.
    fn is_news(&self, answers: &Result<Vec<Value>, Error>) -> bool {
        let nothing_was_done = match answers {
            Ok(answers) => answers.first().is_some_and(is_moved) && answers.iter().all(is_moved),
            Err(error) => matches!(error, Error::Unavailable { .. }),
        };
        nothing_was_done && self.only.found_cluster()
    }

    fn by(&self) -> Instant {
        Instant::now() + self.options().connect_timeout
    }
}

fn opened(answers: Vec<Value>, effect: Effect) -> Result<Vec<Value>, Error> {
    envelope::open_all(answers).map_err(|_| unexpected(effect))
}

impl ListeningPost {
    /// Ends when there is a better one, if anything tells that.
    pub(crate) async fn until_it_is_left(&self) {
        match &self.sentinels {
            Some((sentinels, primary)) => Arc::clone(sentinels).until_after(primary.clone()).await,
            None => std::future::pending().await,
        }
    }
}
