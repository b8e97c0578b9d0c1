use std::{collections::BTreeMap, fs, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use clap::Args;
use serde_json::{Value, json};
use session_core::{Error, Session, SessionLayer, SessionStore};
use session_postgres::{PostgresOptions, PostgresStore};
use session_redis::{RedisOptions, RedisStore};
use tokio::{net::TcpListener, runtime::Handle};

use crate::{Failure, planted::Plant};

/// How long all store calls of a request may take.
pub(crate) const DEADLINE: Duration = Duration::from_secs(1);

const NEAR_CACHE: u64 = 1 << 24;

/// One instance of an app, which prints its port.
#[derive(Debug, Args)]
pub(crate) struct Instance {
    url: String,
    #[arg(long)]
    near: bool,
    /// How many replicas have to have a login or an end before it is acknowledged.
    #[arg(long, default_value_t = 0)]
    replicas: u32,
    /// A fault of the store's own, which must be found.
    #[arg(long)]
    plant: Option<Plant>,
}

impl Instance {
    /// Serves until its input ends.
    pub(crate) async fn serve(self) -> Result<(), Failure> {
        let store = self.store()?;
        let store = match self.plant {
            Some(plant) => Arc::new(plant.into(store)),
            None => store,
        };
        let app = Router::new()
            .route("/", get(show))
            .route("/write/{key}/{number}", post(write))
            .route("/count", post(count))
            .route("/login/{user}", post(login))
            .route("/logout", post(logout))
            .layer(SessionLayer::new(store).insecure().store_timeout(DEADLINE))
            .route("/size", get(size));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?.port());
        tokio::spawn(async { axum::serve(listener, app).await });
        tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await??;
        std::process::exit(0);
    }

    fn store(&self) -> Result<Arc<dyn SessionStore>, Failure> {
        if self.url.starts_with("postgres") {
            let mut options = PostgresOptions::from_url(&self.url)?;
            if self.near {
                options = options.near_cache(NEAR_CACHE);
            }
            return Ok(Arc::new(PostgresStore::new(options)?));
        }
        let mut options = RedisOptions::from_url(&self.url)?;
        if self.near {
            options = options.near_cache(NEAR_CACHE);
        }
        if self.replicas > 0 {
            options = options.wait_for_replicas(self.replicas, DEADLINE / 2);
        }
        Ok(Arc::new(RedisStore::new(options)?))
    }
}

async fn show(session: Session) -> Result<Json<Value>, Error> {
    let mut written = BTreeMap::new();
    for key in session.keys().into_iter().filter(|key| key != "count") {
        if let Some(number) = session.get::<u64>(&key)? {
            written.insert(key, number);
        }
    }
    let count = session.get::<u64>("count")?.unwrap_or(0);
    Ok(Json(
        json!({ "user": session.user(), "written": written, "count": count }),
    ))
}

async fn write(Path((key, number)): Path<(String, u64)>, session: Session) -> Result<(), Response> {
    logged_in(&session).map_err(IntoResponse::into_response)?;
    session.insert(&key, &number).map_err(IntoResponse::into_response)
}

async fn count(session: Session) -> Result<String, Response> {
    logged_in(&session).map_err(IntoResponse::into_response)?;
    let count: u64 = session
        .update("count", |count| count.unwrap_or(0) + 1)
        .await
        .map_err(IntoResponse::into_response)?;
    Ok(count.to_string())
}

/// A visitor's session would begin anew.
fn logged_in(session: &Session) -> Result<(), StatusCode> {
    session.user().map(drop).ok_or(StatusCode::UNAUTHORIZED)
}

async fn login(Path(user): Path<String>, session: Session) -> Result<(), Error> {
    session.login(user)
}

async fn logout(session: Session) -> Result<(), Error> {
    session.logout().await
}

/// What could grow: live tasks, open files, resident memory in KiB.
async fn size() -> Json<Value> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let resident = status.lines().find_map(|line| {
        line.strip_prefix("VmRSS:")?
            .trim()
            .strip_suffix(" kB")?
            .parse::<u64>()
            .ok()
    });
    let files = fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    Json(json!({ "tasks": Handle::current().metrics().num_alive_tasks(), "files": files, "memory": resident }))
}
