use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use session_core::{MemoryStore, SessionStore};
use session_postgres::{PostgresOptions, PostgresStore};
use session_redis::{RedisOptions, RedisStore};

use crate::{postgres_server, redis_server};

/// For a machine that is busy with many tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A store that a test runs over, and the server behind it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Database {
    Memory,
    Postgres,
    Redis,
}

impl Database {
    /// The URL of the server that the tests share, ready for sessions.
    pub(crate) async fn url(self) -> String {
        match self {
            Self::Memory => "memory".into(),
            Self::Postgres => {
                static SERVER: OnceLock<postgres_server::Server> = OnceLock::new();
                let url = SERVER.get_or_init(postgres_server::Server::start).url();
                PostgresStore::connect(&*url).await.unwrap().migrate().await.unwrap();
                url
            }
            Self::Redis => {
                static SERVER: OnceLock<redis_server::Server> = OnceLock::new();
                SERVER.get_or_init(redis_server::Server::start).url()
            }
        }
    }

    /// The stores of two instances: memory is one that they share, else each has connections of its own.
    pub(crate) async fn stores(self) -> [Arc<dyn SessionStore>; 2] {
        let url = self.url().await;
        match self {
            Self::Memory => {
                let store = MemoryStore::new();
                [Arc::new(store.clone()), Arc::new(store)]
            }
            Self::Postgres | Self::Redis => [self.store_at(&url).await, self.store_at(&url).await],
        }
    }

    /// A store with connections of its own to the server at `url`.
    pub(crate) async fn store_at(self, url: &str) -> Arc<dyn SessionStore> {
        match self {
            Self::Memory => panic!("memory is at no URL"),
            Self::Postgres => {
                let options = PostgresOptions::from_url(url).unwrap();
                let options = options.connect_timeout(PATIENCE).command_timeout(PATIENCE);
                Arc::new(PostgresStore::connect(options).await.unwrap())
            }
            Self::Redis => {
                let options = RedisOptions::from_url(url).unwrap();
                let options = options.connect_timeout(PATIENCE).command_timeout(PATIENCE);
                Arc::new(RedisStore::connect(options).await.unwrap())
            }
        }
    }
}
