//! The servers: those of the stores' tests, each on a free port, in a temporary folder, gone with this process.

#[path = "../../session-postgres/tests/it/server.rs"]
mod postgres;
#[path = "../../session-redis/tests/it/server.rs"]
mod redis;

use sqlx::{Connection, Executor, PgConnection, Row};

use crate::{
    Failure,
    variant::{Backend, Variant},
};

/// A Redis that keeps nothing on disk, and a PostgreSQL that has on disk what it has acknowledged.
pub(crate) struct Servers {
    redis: redis::Server,
    postgres: postgres::Server,
}

impl Servers {
    pub(crate) fn start() -> Self {
        Self {
            redis: redis::Server::start(),
            postgres: postgres::Server::start_durable(),
        }
    }

    pub(crate) fn redis(&self) -> String {
        self.redis.url()
    }

    pub(crate) fn postgres(&self) -> String {
        self.postgres.url()
    }

    /// Where the variant keeps its sessions.
    pub(crate) fn url(&self, variant: Variant) -> String {
        match variant.backend() {
            Backend::Redis => self.redis(),
            Backend::Postgres => self.postgres(),
            Backend::Memory | Backend::Nowhere => "-".to_owned(),
        }
    }

    /// The versions of Redis and PostgreSQL.
    pub(crate) async fn versions(&self) -> Result<(String, String), Failure> {
        let client = ::redis::Client::open(self.redis())?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        let info: String = ::redis::cmd("INFO").arg("server").query_async(&mut connection).await?;
        let redis = info.lines().find_map(|line| line.strip_prefix("redis_version:"));
        let mut connection = PgConnection::connect(&self.postgres()).await?;
        let postgres = connection.fetch_one("SHOW server_version").await?.try_get(0)?;
        Ok((redis.unwrap_or("unknown").to_owned(), postgres))
    }

    /// Starts PostgreSQL again, for settings that it reads only then.
    pub(crate) fn restart_postgres(&mut self) {
        self.postgres.stop_fast();
        self.postgres.restart();
    }
}
