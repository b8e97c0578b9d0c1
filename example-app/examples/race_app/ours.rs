use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::Path,
    response::Response,
    routing::{get, post},
};
use serde_json::Value;
use session_core::{
    Error, Excess, Lifetime, LoginOptions, NewSession, Session, SessionLayer, SessionLimit, SessionStore, SessionToken,
};
use session_postgres::{PostgresOptions, PostgresStore};
use session_redis::{RedisOptions, RedisStore};

use crate::{
    Failure, PATIENCE,
    gate::{Held, Open},
    state,
};

/// The app over our layer, perhaps with a near cache of so many bytes, once that serves.
pub(crate) async fn app(url: &str, near_cache: Option<u64>) -> Result<Router, Failure> {
    let store: Arc<dyn SessionStore> = if url.starts_with("redis:") {
        let mut options = RedisOptions::from_url(url)?
            .connect_timeout(PATIENCE)
            .command_timeout(PATIENCE);
        if let Some(bytes) = near_cache {
            options = options.near_cache(bytes);
        }
        Arc::new(RedisStore::connect(options).await?)
    } else {
        let mut options = PostgresOptions::from_url(url)?
            .connect_timeout(PATIENCE)
            .command_timeout(PATIENCE);
        if let Some(bytes) = near_cache {
            // So long it waits before it serves.
            options = options.near_cache(bytes).command_timeout(PATIENCE / 4);
        }
        Arc::new(PostgresStore::connect(options).await?)
    };
    until_near(&store).await?;
    let layer = SessionLayer::new(store);
    Ok(Router::new()
        .route("/state", get(show))
        .route("/write/{key}/{value}", post(write))
        .route("/increment", post(increment))
        .route("/take", post(take))
        .route("/login/{user}", post(login))
        .route("/login/{user}/{class}", post(login_of_class))
        .route("/logout", post(logout))
        .layer(
            layer
                .insecure()
                .store_timeout(PATIENCE)
                .session_limit_of("first", SessionLimit::new(2))
                .session_limit_of("newest", SessionLimit::new(2).excess(Excess::EndOldest)),
        ))
}

/// Waits until the store's near cache serves, if it has one.
async fn until_near(store: &Arc<dyn SessionStore>) -> Result<(), Failure> {
    let Some(cache) = store.near_cache() else {
        return Ok(());
    };
    let id = SessionToken::random()?.id();
    store.create(&id, &NewSession::new(Lifetime::default())).await?;
    while cache.get(&[id]).is_none() {
        tokio::time::sleep(Duration::from_millis(10)).await;
        store.load(&[id]).await?;
    }
    Ok(())
}

impl Open for Session {
    // Extracting it has opened it.
    async fn open(&self) -> Result<(), Response> {
        Ok(())
    }
}

async fn show(session: Session) -> Result<Json<Value>, Error> {
    let data = session
        .keys()
        .into_iter()
        .map(|key| Ok((key.clone(), session.get(&key)?.unwrap_or_default())));
    Ok(state(session.user().as_deref(), data.collect::<Result<_, Error>>()?))
}

async fn write(Path((key, value)): Path<(String, String)>, Held(session): Held<Session>) -> Result<(), Error> {
    session.insert(&key, &value)
}

async fn increment(Held(session): Held<Session>) -> Result<(), Error> {
    session
        .update("count", |count: Option<u64>| count.unwrap_or(0) + 1)
        .await?;
    Ok(())
}

async fn take(Held(session): Held<Session>) -> Result<Json<Value>, Error> {
    Ok(Json(session.take("once").await?.unwrap_or_default()))
}

async fn login(Path(user): Path<String>, Held(session): Held<Session>) -> Result<(), Error> {
    session.login(user)
}

/// Of two classes a user may have two sessions: the first two, or the newest two. Of a third the token is renewed.
async fn login_of_class(
    Path((user, class)): Path<(String, String)>,
    Held(session): Held<Session>,
) -> Result<(), Error> {
    let mut lifetime = Lifetime::default();
    if class == "renewed" {
        lifetime = lifetime.renew_every(Duration::from_secs(60));
    }
    session.login_with(user, LoginOptions::new().class(class).lifetime(lifetime))
}

async fn logout(Held(session): Held<Session>) -> Result<(), Error> {
    session.logout().await
}
