//! What instances keep their sessions in: servers of this program's own, and the ways to them.

mod pair;
#[path = "../../../session-postgres/tests/it/server.rs"]
mod postgres;
#[path = "../../../session-redis/tests/it/server.rs"]
mod redis;

use std::{fmt, fs, os::unix::fs::MetadataExt};

use clap::ValueEnum;
use session_postgres::PostgresStore;

use self::pair::Pair;
use crate::{
    Failure,
    proxy::{Link, Proxy},
};

/// How sessions are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Topology {
    Redis,
    RedisNear,
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
        matches!(self, Self::Redis | Self::RedisNear)
    }

    /// Whether it can be started here: only root mounts a disk.
    pub(crate) fn can_be_had(self) -> bool {
        self != Self::PostgresSmallDisk || fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
    }

    pub(crate) const fn has_failover(self) -> bool {
        matches!(self, Self::PostgresStandby)
    }
}

impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Redis => "Redis, on disk",
            Self::RedisNear => "Redis, on disk, near caches",
            Self::Postgres => "PostgreSQL",
            Self::PostgresNear => "PostgreSQL, near caches",
            Self::PostgresStandby => "PostgreSQL, synchronous standby",
            Self::PostgresSmallDisk => "PostgreSQL, small disk",
        })
    }
}

/// The servers of a topology, which run.
pub(crate) struct Ground {
    servers: Servers,
    proxy: Proxy,
}

enum Servers {
    Redis(redis::Server),
    Postgres(postgres::Server),
    Pair(Pair),
}

impl Ground {
    pub(crate) async fn start(topology: Topology) -> Result<Self, Failure> {
        let servers = match topology {
            Topology::Redis | Topology::RedisNear => Servers::Redis(redis::Server::start_durable()),
            Topology::Postgres | Topology::PostgresNear => Servers::Postgres(postgres::Server::start_durable()),
            Topology::PostgresStandby => Servers::Pair(Pair::start()),
            Topology::PostgresSmallDisk => Servers::Postgres(postgres::Server::start_on_small_disk()),
        };
        let proxy = Proxy::to(servers.port()).await?;
        let ground = Self { servers, proxy };
        if !topology.is_redis() {
            PostgresStore::connect(ground.url().as_str()).await?.migrate().await?;
        }
        Ok(ground)
    }

    /// Where instances find it.
    pub(crate) fn url(&self) -> String {
        let port = self.proxy.port();
        match &self.servers {
            Servers::Redis(_) => format!("redis://{}:{}@127.0.0.1:{port}", redis::USER, redis::PASSWORD),
            Servers::Postgres(_) | Servers::Pair(_) => {
                format!(
                    "postgres://{}:{}@127.0.0.1:{port}/postgres",
                    postgres::USER,
                    postgres::PASSWORD
                )
            }
        }
    }

    pub(crate) fn kill(&mut self) {
        match &mut self.servers {
            Servers::Redis(server) => server.kill(),
            Servers::Postgres(server) => server.kill(),
            Servers::Pair(pair) => pair.primary().kill(),
        }
    }

    pub(crate) fn stop(&mut self) {
        match &mut self.servers {
            Servers::Redis(server) => server.stop(),
            Servers::Postgres(server) => server.stop_fast(),
            Servers::Pair(pair) => pair.primary().stop_fast(),
        }
    }

    pub(crate) fn restart(&mut self) {
        match &mut self.servers {
            Servers::Redis(server) => server.restart(),
            Servers::Postgres(server) => server.restart(),
            Servers::Pair(pair) => pair.primary().restart(),
        }
    }

    pub(crate) fn freeze(&mut self) {
        match &mut self.servers {
            Servers::Redis(server) => server.freeze(),
            Servers::Postgres(server) => server.freeze(),
            Servers::Pair(pair) => pair.primary().freeze(),
        }
    }

    pub(crate) fn thaw(&mut self) {
        match &mut self.servers {
            Servers::Redis(server) => server.thaw(),
            Servers::Postgres(server) => server.thaw(),
            Servers::Pair(pair) => pair.primary().thaw(),
        }
    }

    /// The primary dies, the standby takes its place, and the name leads there.
    pub(crate) fn fail_over(&mut self) {
        if let Servers::Pair(pair) = &mut self.servers {
            pair.fail_over();
        }
        self.proxy.lead_to(self.servers.port());
    }

    /// Has another standby follow the primary that there is.
    pub(crate) fn replace_standby(&mut self) {
        if let Servers::Pair(pair) = &mut self.servers {
            pair.replace_standby();
        }
    }

    pub(crate) fn fill_disk(&self) {
        if let Servers::Postgres(server) = &self.servers {
            server.fill_disk();
        }
    }

    pub(crate) fn free_disk(&mut self) {
        if let Servers::Postgres(server) = &mut self.servers {
            server.free_disk();
        }
    }

    /// Says something to the server, as its administrator.
    pub(crate) fn administer(&mut self, command: &str) {
        match &mut self.servers {
            Servers::Redis(server) => server.cli(command),
            Servers::Postgres(server) => drop(server.sql(command)),
            Servers::Pair(pair) => drop(pair.primary().sql(command)),
        }
    }

    pub(crate) fn link(&self, link: Link) {
        self.proxy.set(link);
    }

    /// The most connections that instances opened in any second since this was asked last.
    pub(crate) fn take_most_in_a_second(&self) -> usize {
        self.proxy.take_most_in_a_second()
    }
}

impl Servers {
    fn port(&self) -> u16 {
        match self {
            Self::Redis(server) => server.port(),
            Self::Postgres(server) => server.port(),
            Self::Pair(pair) => pair.port(),
        }
    }
}
