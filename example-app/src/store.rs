use std::{env, fmt, sync::Arc};

use session_core::{
    Error, MemoryStore, SessionStore,
    cloud_foundry::{BoundServices, CloudFoundryError},
    run_once,
};
use session_postgres::{PostgresOptions, PostgresStore};
use session_redis::{RedisOptions, RedisStore};

use crate::{
    Failure,
    cli::{Backend, StoreArgs},
};

/// Where the sessions are to be kept.
pub(crate) enum Place {
    Memory,
    Postgres(Box<PostgresOptions>),
    Redis(Box<RedisOptions>),
}

/// A URL that names no store.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("{0}; --store takes memory, redis://…, rediss://… or postgres://…")]
pub(crate) struct UnknownStore(String);

/// Both a Redis and a Postgres are bound to the app.
#[derive(Debug, thiserror::Error)]
#[error(
    "a Redis and a PostgreSQL service are bound: say which one keeps the sessions with SESSION_BACKEND=redis or SESSION_BACKEND=postgres"
)]
pub(crate) struct TwoBackends;

impl Place {
    /// What was asked for; else the service that is bound to the app; else the local `DATABASE_URL`, which on Cloud
    /// Foundry is whichever database the platform met first; else memory.
    pub(crate) fn of(args: &StoreArgs) -> Result<Self, Failure> {
        if let Some(url) = &args.url {
            return Self::at(url);
        }
        match BoundServices::from_env() {
            Ok(services) => Self::bound(&services, args),
            Err(CloudFoundryError::NotOnCloudFoundry) => {
                env::var("DATABASE_URL").map_or(Ok(Self::Memory), |url| Self::at(&url))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The store that a URL names. Nothing of the URL is told: there may be a password in it.
    fn at(url: &str) -> Result<Self, Failure> {
        Ok(match url.split_once("://").map(|(scheme, _)| scheme) {
            None if url == "memory" => Self::Memory,
            Some("postgres" | "postgresql") => Self::Postgres(Box::new(PostgresOptions::from_url(url)?)),
            Some("redis" | "rediss" | "valkey" | "valkeys") => Self::Redis(Box::new(RedisOptions::from_url(url)?)),
            // Anything but letters may be part of a password.
            Some(scheme) if scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                return Err(UnknownStore(format!("there is no store for {scheme}://")).into());
            }
            _ => return Err(UnknownStore("the store is no URL".into()).into()),
        })
    }

    fn bound(services: &BoundServices, args: &StoreArgs) -> Result<Self, Failure> {
        let name = args.service.as_deref();
        let redis = || services.redis(name);
        let postgres = || services.postgres(name);
        let (redis, postgres) = match args.backend {
            Some(Backend::Redis) => (Some(redis()?), None),
            Some(Backend::Postgres) => (None, Some(postgres()?)),
            None => match (redis(), postgres()) {
                (Ok(redis), Err(CloudFoundryError::NotBound { .. })) => (Some(redis), None),
                (Err(CloudFoundryError::NotBound { .. }), postgres) => (None, Some(postgres?)),
                (redis, postgres) => (Some(redis?), Some(postgres?)),
            },
        };
        match (redis, postgres) {
            (Some(_), Some(_)) => Err(TwoBackends.into()),
            (Some(redis), None) => {
                let mut redis = RedisOptions::try_from(redis)?;
                if let Some(path) = &args.ca_file {
                    redis = redis.ca_file(path);
                }
                Ok(Self::Redis(Box::new(redis)))
            }
            (None, Some(postgres)) => {
                let mut postgres = PostgresOptions::try_from(postgres)?;
                if let Some(path) = &args.ca_file {
                    postgres = postgres.ca_file(path);
                }
                Ok(Self::Postgres(Box::new(postgres)))
            }
            (None, None) => Ok(Self::Memory),
        }
    }

    /// Opens the store with a connection of its own. What does not work is better told now than to every browser.
    pub(crate) async fn open(self) -> Result<Store, Error> {
        Ok(match self {
            Self::Memory => Store::Memory(MemoryStore::new()),
            Self::Postgres(options) => Store::Postgres(PostgresStore::connect(*options).await?),
            Self::Redis(options) => Store::Redis(RedisStore::connect(*options).await?),
        })
    }
}

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

    /// Whether there is nothing left to [`migrate`](Self::migrate).
    pub(crate) async fn is_migrated(&self) -> Result<bool, Error> {
        match self {
            Self::Postgres(store) => store.is_migrated().await,
            Self::Memory(_) | Self::Redis(_) => Ok(true),
        }
    }

    /// Prepares the store, and says whether there was anything to prepare.
    pub(crate) async fn migrate(&self) -> Result<bool, Error> {
        match self {
            Self::Postgres(store) => store.migrate().await.map(|()| true),
            Self::Memory(_) | Self::Redis(_) => Ok(false),
        }
    }

    /// The app's own set-up work: done once, by whichever instance gets to it first. Another deployment whose work is
    /// another has to give it another name.
    pub(crate) async fn set_up(&self) -> Result<(), Failure> {
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

/// The command `migrate`.
pub(crate) async fn migrate(args: &StoreArgs) -> Result<(), Failure> {
    if Place::of(args)?.open().await?.migrate().await? {
        println!("the database is ready");
    } else {
        println!("nothing to do: only Postgres needs to be prepared");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_store_is_refused_with_the_known_ones_and_no_password() {
        for url in [
            "mysql://app:secret@host/db",
            "secret",
            "",
            "redis:secret",
            "a:secret@b://c",
        ] {
            let Err(error) = Place::at(url) else { panic!("{url}") };
            let text = error.to_string();
            assert!(text.contains("memory, redis://…, rediss://… or postgres://…"), "{text}");
            assert!(!text.contains("secret"), "{text}");
        }
    }
}
