use std::{fmt, sync::Arc};

use session_core::{Error, MemoryStore, SessionStore, run_once};
use session_postgres::PostgresStore;
use session_redis::RedisStore;

/// An open store.
#[derive(Clone)]
pub(crate) enum Store {
    Memory(MemoryStore),
    Postgres(PostgresStore),
    Redis(RedisStore),
}

impl Store {
    pub(crate) fn sessions(&self) -> Arc<dyn SessionStore> {
        match self {
            Self::Memory(store) => Arc::new(store.clone()),
            Self::Postgres(store) => Arc::new(store.clone()),
            Self::Redis(store) => Arc::new(store.clone()),
        }
    }

    /// Whether the server answers.
    pub(crate) async fn ping(&self) -> Result<(), Error> {
        self.sessions().ping().await
    }

    /// Whether there is nothing left to [`migrate`](Self::migrate).
    pub(crate) async fn is_migrated(&self) -> Result<bool, Error> {
        match self {
            Self::Postgres(store) => store.is_migrated().await,
            Self::Memory(_) | Self::Redis(_) => Ok(true),
        }
    }

    /// Prepares the store, if it is one that has to be prepared.
    pub(crate) async fn migrate(&self) -> Result<(), Error> {
        match self {
            Self::Postgres(store) => store.migrate().await,
            Self::Memory(_) | Self::Redis(_) => Ok(()),
        }
    }

    /// The app's own set-up work: done once for the prefix of the store and this name, by whichever instance gets to it
    /// first. Another deployment whose work is another has to give it another name.
    pub(crate) async fn set_up(&self) -> Result<(), Error> {
        const NAME: &str = "example-app: load agency contacts, 2026-11";
        let work = async || {
            // Here an app would fill its tables.
            tracing::info!("loaded the agency contacts");
            Ok(())
        };
        match self {
            Self::Memory(store) => run_once(store, NAME, work).await?,
            Self::Postgres(store) => run_once(store, NAME, work).await?,
            Self::Redis(store) => run_once(store, NAME, work).await?,
        };
        Ok(())
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory(_) => "Memory",
            Self::Postgres(_) => "Postgres",
            Self::Redis(_) => "Redis",
        })
    }
}
