//! What instances keep their sessions in: servers of this program's own, and the ways to them.

mod pair;
#[path = "../../../session-postgres/tests/it/server.rs"]
mod postgres;
mod redis;

use std::{fmt, fs, io, os::unix::fs::MetadataExt};

use clap::ValueEnum;
use session_postgres::PostgresStore;
use tokio::task::block_in_place;

use self::pair::Pair;
use crate::{
    Failure,
    history::Broken,
    loss::Loss,
    proxy::{Link, Proxy},
};

/// What instances are to PostgreSQL, and their password: a role with rights on its rows only, see `role.sql`.
pub(crate) const ROLE: &str = "instances";

/// How sessions are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Topology {
    Redis,
    RedisNear,
    RedisSentinel,
    /// Logins and ends wait for a replica.
    RedisSentinelWait,
    RedisCluster,
    Postgres,
    PostgresNear,
    PostgresStandby,
    PostgresSmallDisk,
}

impl Topology {
    /// Whether instances have near caches.
    pub(crate) const fn is_near(self) -> bool {
        matches!(self, Self::RedisNear | Self::PostgresNear)
    }

    pub(crate) const fn is_redis(self) -> bool {
        matches!(self, Self::Redis | Self::RedisNear) || self.is_several()
    }

    /// Whether servers find out by themselves when one of them dies.
    pub(crate) const fn is_several(self) -> bool {
        matches!(self, Self::RedisSentinel | Self::RedisSentinelWait | Self::RedisCluster)
    }

    /// Whether both are of servers of one kind, as many.
    pub(crate) const fn is_like(self, other: Self) -> bool {
        self.is_redis() == other.is_redis() && self.is_several() == other.is_several()
    }

    /// How many replicas logins and ends wait for.
    pub(crate) const fn replicas(self) -> u32 {
        matches!(self, Self::RedisSentinelWait) as u32
    }

    /// What may be lost when a server dies, as it says itself.
    pub(crate) fn may_lose(self, broken: Broken) -> bool {
        match broken {
            Broken::Write | Broken::Count => self.is_several(),
            Broken::Session | Broken::Ended => self.is_several() && self.replicas() == 0,
        }
    }

    /// Whether it can be started here: only root mounts a disk.
    pub(crate) fn can_be_had(self) -> bool {
        self != Self::PostgresSmallDisk || fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
    }

    pub(crate) const fn has_failover(self) -> bool {
        self.is_several() || matches!(self, Self::PostgresStandby)
    }
}

impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Redis => "Redis, on disk",
            Self::RedisNear => "Redis, on disk, near caches",
            Self::RedisSentinel => "Redis, two replicas, three sentinels",
            Self::RedisSentinelWait => "Redis, two replicas, three sentinels; logins and ends wait for a replica",
            Self::RedisCluster => "Redis Cluster, three primaries with a replica each",
            Self::Postgres => "PostgreSQL",
            Self::PostgresNear => "PostgreSQL, near caches",
            Self::PostgresStandby => "PostgreSQL, synchronous standby",
            Self::PostgresSmallDisk => "PostgreSQL, small disk",
        })
    }
}

/// The servers of a topology, which run.
///
/// They are started, stopped and asked by the thread that calls, which waits. Meanwhile browsers and proxies go on
/// elsewhere.
pub(crate) struct Ground {
    servers: Servers,
    /// Where instances do not go to the servers themselves.
    proxy: Option<Proxy>,
}

enum Servers {
    Redis(redis::Server),
    Several(redis::Several),
    Postgres(postgres::Server),
    Pair(Pair),
}

impl Ground {
    pub(crate) async fn start(topology: Topology) -> Result<Self, Failure> {
        let servers = block_in_place(|| match topology {
            Topology::Redis | Topology::RedisNear => Servers::Redis(redis::Server::start_durable()),
            Topology::RedisSentinel | Topology::RedisSentinelWait => Servers::Several(redis::Several::watched()),
            Topology::RedisCluster => Servers::Several(redis::Several::cluster()),
            Topology::Postgres | Topology::PostgresNear => Servers::Postgres(postgres::Server::start_durable()),
            Topology::PostgresStandby => Servers::Pair(Pair::start()),
            Topology::PostgresSmallDisk => Servers::Postgres(postgres::Server::start_on_small_disk()),
        });
        let proxy = match servers.port() {
            Some(port) => Some(Proxy::to(port).await?),
            None => None,
        };
        let mut ground = Self { servers, proxy };
        if !topology.is_redis() {
            let owner = ground.postgres_url(postgres::USER, postgres::PASSWORD);
            PostgresStore::connect(owner.as_str()).await?.migrate().await?;
            for statement in include_str!("role.sql").lines() {
                ground.administer(statement);
            }
        }
        Ok(ground)
    }

    /// Where instances find it.
    pub(crate) fn url(&self) -> String {
        let port = self.proxy.as_ref().map_or(0, Proxy::port);
        match &self.servers {
            Servers::Several(several) => several.url(),
            Servers::Redis(_) => format!("redis://{}:{}@127.0.0.1:{port}", redis::USER, redis::PASSWORD),
            Servers::Postgres(_) | Servers::Pair(_) => self.postgres_url(ROLE, ROLE),
        }
    }

    fn postgres_url(&self, user: &str, password: &str) -> String {
        let port = self.proxy.as_ref().map_or(0, Proxy::port);
        format!("postgres://{user}:{password}@127.0.0.1:{port}/postgres")
    }

    /// Waits until servers agree on who takes writes.
    pub(crate) fn agree(&mut self) {
        if let Servers::Several(several) = &mut self.servers {
            block_in_place(|| several.agree());
        }
    }

    pub(crate) fn kill(&mut self) {
        block_in_place(|| match &mut self.servers {
            Servers::Redis(server) => server.kill(),
            Servers::Several(several) => several.primary().kill(),
            Servers::Postgres(server) => server.kill(),
            Servers::Pair(pair) => pair.primary().kill(),
        });
    }

    pub(crate) fn stop(&mut self) {
        block_in_place(|| match &mut self.servers {
            Servers::Redis(server) => server.stop(),
            Servers::Several(several) => several.primary().stop(),
            Servers::Postgres(server) => server.stop_fast(),
            Servers::Pair(pair) => pair.primary().stop_fast(),
        });
    }

    pub(crate) fn restart(&mut self) {
        block_in_place(|| match &mut self.servers {
            Servers::Redis(server) => server.restart(),
            Servers::Several(several) => several.primary().restart(),
            Servers::Postgres(server) => server.restart(),
            Servers::Pair(pair) => pair.primary().restart(),
        });
    }

    pub(crate) fn freeze(&mut self) {
        block_in_place(|| match &mut self.servers {
            Servers::Redis(server) => server.freeze(),
            Servers::Several(several) => several.primary().freeze(),
            Servers::Postgres(server) => server.freeze(),
            Servers::Pair(pair) => pair.primary().freeze(),
        });
    }

    pub(crate) fn thaw(&mut self) {
        block_in_place(|| match &mut self.servers {
            Servers::Redis(server) => server.thaw(),
            // By now another one may be the primary.
            Servers::Several(several) => several.thaw_all(),
            Servers::Postgres(server) => server.thaw(),
            Servers::Pair(pair) => pair.primary().thaw(),
        });
    }

    /// The primary dies, the standby takes its place, and the name leads there.
    pub(crate) fn fail_over(&mut self) {
        block_in_place(|| match &mut self.servers {
            Servers::Pair(pair) => pair.fail_over(),
            Servers::Several(several) => several.fail_over(),
            _ => {}
        });
        if let (Some(proxy), Some(port)) = (&self.proxy, self.servers.port()) {
            proxy.lead_to(port);
        }
    }

    /// Makes it what it was in the beginning.
    pub(crate) fn repair(&mut self) {
        block_in_place(|| match &mut self.servers {
            Servers::Pair(pair) => pair.replace_standby(),
            Servers::Several(several) => several.repair(),
            _ => {}
        });
    }

    pub(crate) fn fill_disk(&self) {
        if let Servers::Postgres(server) = &self.servers {
            block_in_place(|| server.fill_disk());
        }
    }

    pub(crate) fn free_disk(&mut self) {
        if let Servers::Postgres(server) = &mut self.servers {
            block_in_place(|| server.free_disk());
        }
    }

    /// Says something to the server, as its administrator.
    pub(crate) fn administer(&mut self, command: &str) {
        block_in_place(|| match &mut self.servers {
            Servers::Redis(server) => server.cli(command),
            Servers::Several(several) => several.administer(command),
            Servers::Postgres(server) => drop(server.sql(command)),
            Servers::Pair(pair) => drop(pair.primary().sql(command)),
        });
    }

    /// Adds to the tables what a later version may add.
    pub(crate) fn extend_tables(&mut self) {
        if matches!(self.servers, Servers::Postgres(_)) {
            for table in ["session", "marker"] {
                self.administer(&format!(
                    "ALTER TABLE session.{table} ADD COLUMN IF NOT EXISTS later text NOT NULL DEFAULT ''"
                ));
            }
        }
    }

    /// Adds to all records what a later version may add, which this one has to pass over and to keep. Returns to how
    /// many that were not added to yet.
    pub(crate) fn extend_records(&mut self) -> io::Result<u64> {
        let extended = block_in_place(|| match &mut self.servers {
            Servers::Redis(server) => {
                // `redis-cli` is given what is between spaces.
                let script = include_str!("later.lua").replace(' ', "\n");
                server.answer(&format!("EVAL {script} 0"))
            }
            Servers::Postgres(server) => server.sql(include_str!("later.sql")),
            Servers::Several(_) | Servers::Pair(_) => "0".to_owned(),
        });
        extended.trim().parse().map_err(io::Error::other)
    }

    /// Has packets lost on the way to the server, until what this returns is dropped.
    pub(crate) fn lose_packets(&self) -> io::Result<Option<Loss>> {
        self.proxy.as_ref().map(|proxy| Loss::at(proxy.port())).transpose()
    }

    pub(crate) fn link(&self, link: Link) {
        if let Some(proxy) = &self.proxy {
            proxy.set(link);
        }
    }

    /// The most connections that instances opened in any second since this was asked last, where that can be seen.
    pub(crate) fn take_most_in_a_second(&self) -> Option<usize> {
        self.proxy.as_ref().map(Proxy::take_most_in_a_second)
    }
}

impl Servers {
    /// Where the only one that is written to is.
    fn port(&self) -> Option<u16> {
        match self {
            Self::Redis(server) => Some(server.port()),
            Self::Postgres(server) => Some(server.port()),
            Self::Pair(pair) => Some(pair.port()),
            Self::Several(_) => None,
        }
    }
}
