//! A cluster: which node has what, and how commands come there.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use redis::Value;
use session_core::Error;
use tokio::time::{Instant, timeout_at};

use super::{
    in_turn::ask_in_turn,
    table::{Table, read_slots},
};
use crate::{
    connection::{Dialer, Place},
    error::{Effect, unexpected},
    keys::Keys,
    servers::Server,
    wire::{Address, envelope},
};

/// How old a table is at least that is read again.
const FRESH: Duration = Duration::from_millis(50);

/// The nodes of a cluster, and who of them has what.
///
/// Only primaries are spoken to. A replica is a little behind: it may not have what the browser has just written, and
/// still have what has just ended.
pub(crate) struct Cluster {
    pub(crate) dialer: Arc<Dialer>,
    keys: Arc<Keys>,
    /// Where to begin.
    seeds: Vec<Address>,
    /// All that were spoken to, so that each has one connection.
    servers: Mutex<HashMap<Address, Arc<Server>>>,
    table: RwLock<Option<(Instant, Arc<Table>)>>,
    /// One reads the table at a time.
    gate: tokio::sync::Mutex<()>,
}

/// Why a node that was asked for the table did not give it.
#[derive(Debug, thiserror::Error)]
enum NoTable {
    #[error("Redis at {address} is no node of a cluster, or lets this user not say CLUSTER SLOTS")]
    Refused {
        address: Address,
        source: redis::ServerError,
    },

    #[error("the cluster that Redis at {address} belongs to has no slots")]
    Empty { address: Address },
}

impl Cluster {
    pub(crate) fn new(dialer: &Arc<Dialer>, keys: &Arc<Keys>, seeds: &[Address]) -> Self {
        Self {
            dialer: Arc::clone(dialer),
            keys: Arc::clone(keys),
            seeds: seeds.to_owned(),
            servers: Mutex::default(),
            table: RwLock::default(),
            gate: tokio::sync::Mutex::default(),
        }
    }

    /// The node at an address.
    pub(crate) fn server(&self, address: &Address) -> Arc<Server> {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = servers.get(address) {
            return Arc::clone(server);
        }
        let server = Arc::new(Server::new(
            &self.dialer,
            Place::Node(address.clone()),
            &self.keys,
            None,
        ));
        servers.insert(address.clone(), Arc::clone(&server));
        server
    }

    /// The primaries, by a table that is quite new.
    pub(crate) async fn primaries(&self, by: Instant) -> Result<Vec<Arc<Server>>, Error> {
        let table = self.refresh(self.known_table().as_ref(), None, &[], by).await?;
        Ok(table.primaries().iter().map(|(_, server)| Arc::clone(server)).collect())
    }

    /// The table as it was read last.
    pub(crate) fn known_table(&self) -> Option<Arc<Table>> {
        self.read_table().map(|(_, table)| table)
    }

    /// The table, which is read if it never was.
    pub(crate) async fn table(&self, by: Instant) -> Result<Arc<Table>, Error> {
        match self.known_table() {
            Some(table) => Ok(table),
            None => self.refresh(None, None, &[], by).await,
        }
    }

    /// A newer table than one that led nowhere, unless that is quite new. `better` is a node that knows more; those
    /// that are `blamed` may know nothing of what has happened to them.
    ///
    /// One reads it at a time, and those who wait take what it found.
    pub(crate) async fn refresh(
        &self,
        old: Option<&Arc<Table>>,
        better: Option<&Address>,
        blamed: &[&Address],
        by: Instant,
    ) -> Result<Arc<Table>, Error> {
        let Ok(_gate) = timeout_at(by, self.gate.lock()).await else {
            return Err(Error::unavailable(self.late()));
        };
        if let Some((at, table)) = self.read_table()
            && (old.is_none_or(|old| !Arc::ptr_eq(old, &table)) || at.elapsed() < FRESH)
        {
            return Ok(table);
        }
        let candidates = self.candidates(better, blamed).into_iter();
        let asking = ask_in_turn(candidates.map(|address| self.ask(address, by)));
        let Ok(Some(found)) = timeout_at(by, asking).await else {
            return Err(Error::unavailable(self.late()));
        };
        let table = Arc::new(found?);
        self.forget_all_but(&table);
        *self.table.write().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), Arc::clone(&table)));
        Ok(table)
    }

    /// Whom to ask for the table, and in which order: those first that are connected to and have slots.
    fn candidates(&self, better: Option<&Address>, blamed: &[&Address]) -> Vec<Address> {
        let table = self.known_table();
        let has_slots = |address: &Address| {
            let mut primaries = table.iter().flat_map(|table| table.primaries());
            primaries.any(|(primary, _)| primary == address)
        };
        let servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        let is_open = |address: &Address| servers.get(address).is_some_and(|server| server.connection.is_open());
        let known: BTreeSet<_> = servers.keys().chain(&self.seeds).collect();
        let mut candidates: Vec<_> = known.into_iter().cloned().collect();
        candidates.sort_by_key(|address| {
            let is_better = better == Some(address);
            (
                !is_better,
                blamed.contains(&address),
                !is_open(address),
                !has_slots(address),
            )
        });
        candidates
    }

    async fn ask(&self, address: Address, by: Instant) -> Result<Table, Error> {
        let mut question = redis::pipe();
        question.cmd("CLUSTER").arg("SLOTS");
        let answers = self
            .server(&address)
            .exchange(&question, Effect::Reads, Some(by))
            .await?;
        let nonsense = || unexpected(Effect::Reads);
        let answer = envelope::open_all(answers).ok().and_then(|mut answers| answers.pop());
        let answer = answer.ok_or_else(nonsense)?;
        if let Value::ServerError(source) = answer {
            let lasts = matches!(source.code(), "ERR" | "NOPERM");
            let error = NoTable::Refused { address, source };
            return Err(if lasts {
                Error::lasting(error)
            } else {
                Error::unavailable(error)
            });
        }
        let ranges = read_slots(&answer, &address).ok_or_else(nonsense)?;
        if ranges.is_empty() {
            return Err(Error::unavailable(NoTable::Empty { address }));
        }
        Ok(Table::new(&ranges, |address| self.server(address)))
    }

    /// Closes what leads to nobody any more, and what a node has another address for. A node that is open and has no
    /// slots may be about to get some.
    fn forget_all_but(&self, table: &Table) {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        servers.retain(|address, server| {
            let has_slots = table.primaries().iter().any(|(primary, _)| primary == address);
            has_slots || server.connection.is_open() && !self.seeds.contains(address)
        });
    }

    fn read_table(&self) -> Option<(Instant, Arc<Table>)> {
        self.table.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn late(&self) -> impl std::error::Error + Send + Sync + use<> {
        self.dialer.late(&self.dialer.options.topology)
    }
}
