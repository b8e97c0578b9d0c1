use axum::Router;
use serde::{Serialize, de::DeserializeOwned};
use tower_sessions::{Expiry, MemoryStore, Session, SessionManagerLayer, SessionStore, session_store::ExpiredDeletion};
use tower_sessions_redis_store::{RedisStore, fred::prelude::*};
use tower_sessions_sqlx_store::{PostgresStore, sqlx::PgPool};

use super::{
    routes,
    sessions::{Refused, Sessions},
};
use crate::Failure;

/// Its README's pool of six connections.
pub(super) async fn redis(url: &str) -> Result<Router, Failure> {
    let pool = Pool::new(Config::from_url(url)?, None, None, None, 6)?;
    let _connected_until_the_process_ends = pool.connect();
    pool.wait_for_connect().await?;
    Ok(over(RedisStore::new(pool)))
}

/// Its README's: sqlx's pool as it is, which is ten connections, and the task that removes what has expired.
pub(super) async fn postgres(url: &str) -> Result<Router, Failure> {
    let store = PostgresStore::new(PgPool::connect(url).await?);
    // Two instances that start at once may be in each other's way.
    let mut tries = 0;
    while let Err(error) = store.migrate().await {
        tries += 1;
        if tries == 5 {
            return Err(error.into());
        }
    }
    let minute = std::time::Duration::from_secs(60);
    tokio::spawn(store.clone().continuously_delete_expired(minute));
    Ok(over(store))
}

/// Its store in memory.
pub(super) fn memory() -> Router {
    over(MemoryStore::default())
}

/// Half an hour of inactivity, as ours; otherwise its defaults, which are meant for production.
fn over(store: impl SessionStore + Clone) -> Router {
    let idle = Expiry::OnInactivity(time::Duration::minutes(30));
    routes::with::<Session>().layer(SessionManagerLayer::new(store).with_expiry(idle))
}

impl Sessions for Session {
    async fn get<T: DeserializeOwned + Send>(&self, key: &str) -> Result<Option<T>, Refused> {
        Ok(Self::get(self, key).await?)
    }

    async fn set<T: Serialize + Send + Sync>(&self, key: &str, value: T) -> Result<(), Refused> {
        Ok(self.insert(key, value).await?)
    }

    // It has no atomic way.
    async fn increment(&self, key: &str) -> Result<u64, Refused> {
        let count = Self::get(self, key).await?.unwrap_or(0) + 1;
        self.insert(key, count).await?;
        Ok(count)
    }

    // As axum-login does it.
    async fn log_in(&self, user: String) -> Result<(), Refused> {
        self.cycle_id().await?;
        Ok(self.insert("user", user).await?)
    }
}
