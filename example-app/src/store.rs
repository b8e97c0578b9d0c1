use std::sync::Arc;

use session_core::{Error, MemoryStore, SessionStore, SessionToken};
use session_postgres::PostgresStore;
use session_redis::RedisStore;

use crate::Failure;

/// Which store a URL names. It keeps the URL, and shows it to nobody: there may be a password in it.
pub(crate) enum StoreUrl<'a> {
    Memory,
    Postgres(&'a str),
    Redis(&'a str),
}

/// A URL that names no store.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("{0}; --store takes memory, redis://…, rediss://… or postgres://…")]
pub(crate) struct UnknownStore(String);

/// A database that lets us in, and in which no session can be looked for.
#[derive(Debug, thiserror::Error)]
#[error("the database does not work; if it is new, run `example-app migrate` with the same --store first")]
struct Unprepared(#[source] Error);

impl<'a> StoreUrl<'a> {
    pub(crate) fn parse(url: &'a str) -> Result<Self, UnknownStore> {
        match url.split_once("://").map(|(scheme, _)| scheme) {
            None if url == "memory" => Ok(Self::Memory),
            None => Err(UnknownStore("the store is no URL".into())),
            Some("postgres" | "postgresql") => Ok(Self::Postgres(url)),
            Some("redis" | "rediss" | "valkey" | "valkeys") => Ok(Self::Redis(url)),
            // Anything but letters may be part of a password.
            Some(scheme) if scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                Err(UnknownStore(format!("there is no store for {scheme}://")))
            }
            Some(_) => Err(UnknownStore("the store is no URL".into())),
        }
    }

    /// Opens the store with a connection of its own, and sees whether it works.
    pub(crate) async fn open(&self) -> Result<Arc<dyn SessionStore>, Failure> {
        let store: Arc<dyn SessionStore> = match self {
            Self::Memory => Arc::new(MemoryStore::new()),
            Self::Postgres(url) => Arc::new(PostgresStore::connect(*url).await?),
            Self::Redis(url) => Arc::new(RedisStore::connect(*url).await?),
        };
        // What does not work is better told now than to every browser.
        match (self, store.load(&[SessionToken::random()?.id()]).await) {
            (Self::Postgres(_), Err(error)) => Err(Unprepared(error).into()),
            (_, loaded) => Ok(loaded.map(|_| store)?),
        }
    }

    /// Prepares the store, and says whether there was anything to prepare.
    pub(crate) async fn migrate(&self) -> Result<bool, Failure> {
        let Self::Postgres(url) = self else {
            return Ok(false);
        };
        let store = PostgresStore::connect(*url).await?;
        store.migrate().await?;
        Ok(true)
    }
}

/// The command `migrate`.
pub(crate) async fn migrate(url: &str) -> Result<(), Failure> {
    if StoreUrl::parse(url)?.migrate().await? {
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
            let Err(error) = StoreUrl::parse(url) else {
                panic!("{url}")
            };
            let text = error.to_string();
            assert!(text.contains("memory, redis://…, rediss://… or postgres://…"), "{text}");
            assert!(!text.contains("secret"), "{text}");
        }
    }
}
