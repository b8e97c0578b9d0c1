//! Tests against a real PostgreSQL, which they start themselves.

#![allow(clippy::unwrap_used, reason = "a panic is the failure message")]

mod concurrency;
mod conformance;
mod ended;
mod everyone;
mod failure;
mod format;
#[path = "../../../session-redis/tests/it/harm.rs"]
mod harm;
mod managed;
mod migrate;
mod near;
mod once;
mod options;
mod proxy;
mod sealed;
mod server;
mod tls;
mod together;
mod users;

use std::{error::Error as StdError, future::Future, sync::OnceLock, time::Duration};

use server::Server;
use session_core::{Delta, Lifetime, Loaded, NewSession, Record, SessionId, SessionStore, SessionToken, Value};
use session_postgres::{PostgresOptions, PostgresStore};
use sqlx::{Connection, postgres::PgConnection};
use tokio::sync::OnceCell;

/// The server of all tests that leave it running.
fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(Server::start)
}

/// A store on the shared server, with its tables made.
async fn store() -> PostgresStore {
    static MADE: OnceCell<()> = OnceCell::const_new();
    let store = PostgresStore::connect(patient(server())).await.unwrap();
    MADE.get_or_init(async || store.migrate().await.unwrap()).await;
    store
}

async fn migrated(options: PostgresOptions) -> PostgresStore {
    let store = PostgresStore::connect(options).await.unwrap();
    store.migrate().await.unwrap();
    store
}

fn patient(server: &Server) -> PostgresOptions {
    patient_at(&server.url())
}

/// Settings for a machine that is busy with many tests.
fn patient_at(url: &str) -> PostgresOptions {
    let options = PostgresOptions::from_url(url).unwrap();
    options
        .connect_timeout(Duration::from_secs(20))
        .command_timeout(Duration::from_secs(20))
}

/// A connection to look behind the store's back.
async fn admin(server: &Server) -> PgConnection {
    PgConnection::connect(&server.url()).await.unwrap()
}

fn new_id() -> SessionId {
    SessionToken::random().unwrap().id()
}

fn set(key: &str, json: &str) -> Delta {
    let mut delta = Delta::default();
    delta.set(key, Value::from_json(json.to_owned())).unwrap();
    delta
}

/// A live session of nobody's, with one key.
async fn session(store: &PostgresStore) -> SessionId {
    let id = new_id();
    let new = NewSession::new(Lifetime::default()).with_delta(set("key", "1"));
    store.create(&id, &new).await.unwrap();
    id
}

async fn load(store: &PostgresStore, id: &SessionId) -> Option<Record> {
    match store.load(&[*id]).await.unwrap() {
        Loaded::Live(found, record) if found == *id => Some(*record),
        Loaded::Renewed(_) | Loaded::Missing => None,
        other => panic!("{other:?}"),
    }
}

/// An error and all its sources, as a log would show them.
fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

/// Waits for something that is bound to happen.
async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let looking = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let Ok(seen) = tokio::time::timeout(Duration::from_secs(30), looking).await else {
        panic!("{what} did not happen within 30 s");
    };
    seen
}
