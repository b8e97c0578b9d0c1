use std::fmt::Debug;

use axum::Router;
use axum_session::{DatabasePool, Session, SessionConfig, SessionLayer, SessionStore};
use axum_session_redispool::SessionRedisPool;
use axum_session_sqlx::SessionPgPool;
use redis_pool::RedisPool;
use serde::{Serialize, de::DeserializeOwned};
use sqlx::PgPool;

use super::{
    routes,
    sessions::{Refused, Sessions},
};
use crate::Failure;

/// Its pool as its documentation makes it: 16 connections.
pub(super) async fn redis(url: &str) -> Result<Router, Failure> {
    let pool = RedisPool::from(redis::Client::open(url)?);
    over::<SessionRedisPool>(pool.into()).await
}

/// sqlx's pool as it is: ten connections.
pub(super) async fn postgres(url: &str) -> Result<Router, Failure> {
    over::<SessionPgPool>(PgPool::connect(url).await?.into()).await
}

/// Its defaults, among them a copy of each session in the memory of each instance, for an hour; and cookies for https
/// only, as those of the others are without being told. Not with the prefix `__Host-`, with which it sets its cookies
/// and without which it looks for them.
async fn over<P>(pool: P) -> Result<Router, Failure>
where
    P: DatabasePool + Clone + Debug + Send + Sync + 'static,
{
    let config = SessionConfig::default().with_secure(true);
    let store = SessionStore::new(Some(pool), config).await?;
    Ok(routes::with::<Session<P>>().layer(SessionLayer::new(store)))
}

impl<P> Sessions for Session<P>
where
    P: DatabasePool + Clone + Debug + Send + Sync + 'static,
{
    async fn get<T: DeserializeOwned + Send>(&self, key: &str) -> Result<Option<T>, Refused> {
        Ok(Self::get(self, key))
    }

    async fn set<T: Serialize + Send + Sync>(&self, key: &str, value: T) -> Result<(), Refused> {
        Self::set(self, key, value);
        Ok(())
    }

    // It has no atomic way.
    async fn increment(&self, key: &str) -> Result<u64, Refused> {
        let count = Self::get(self, key).unwrap_or(0) + 1;
        Self::set(self, key, count);
        Ok(count)
    }

    async fn log_in(&self, user: String) -> Result<(), Refused> {
        self.renew();
        Self::set(self, "user", user);
        Ok(())
    }
}
