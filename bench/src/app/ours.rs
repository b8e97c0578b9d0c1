use axum::Router;
use serde::{Serialize, de::DeserializeOwned};
use session_core::{MemoryStore, Session, SessionLayer, SessionStore};
use session_postgres::{PostgresOptions, PostgresStore};
use session_redis::{RedisOptions, RedisStore};

use super::{
    routes,
    sessions::{Refused, Sessions},
};
use crate::Failure;

/// The bytes of a near cache: room for all sessions that are measured.
pub(super) const NEAR_CACHE: u64 = 64 << 20;

/// `SessionLayer` with the defaults for production, over `RedisStore` with its own, perhaps with a near cache.
pub(super) async fn redis(url: &str, near_cache: Option<u64>) -> Result<Router, Failure> {
    let mut options = RedisOptions::from_url(url)?;
    if let Some(bytes) = near_cache {
        options = options.near_cache(bytes);
    }
    Ok(over(RedisStore::connect(options).await?))
}

/// The same over `PostgresStore`: five connections.
pub(super) async fn postgres(url: &str, near_cache: Option<u64>) -> Result<Router, Failure> {
    let mut options = PostgresOptions::from_url(url)?;
    if let Some(bytes) = near_cache {
        options = options.near_cache(bytes);
    }
    let store = PostgresStore::connect(options).await?;
    store.migrate().await?;
    Ok(over(store))
}

/// The same over `MemoryStore`.
pub(super) fn memory() -> Router {
    over(MemoryStore::new())
}

fn over(store: impl SessionStore) -> Router {
    routes::with::<Session>().layer(SessionLayer::new(store))
}

impl Sessions for Session {
    async fn get<T: DeserializeOwned + Send>(&self, key: &str) -> Result<Option<T>, Refused> {
        Ok(Self::get(self, key)?)
    }

    async fn set<T: Serialize + Send + Sync>(&self, key: &str, value: T) -> Result<(), Refused> {
        Ok(self.insert(key, &value)?)
    }

    async fn increment(&self, key: &str) -> Result<u64, Refused> {
        Ok(self.update(key, |count: Option<u64>| count.unwrap_or(0) + 1).await?)
    }

    async fn log_in(&self, user: String) -> Result<(), Refused> {
        Ok(self.login(user)?)
    }
}
