//! Tests against a real Redis, which they start themselves.

#![allow(clippy::unwrap_used, reason = "a panic is the failure message")]

mod cluster;
mod concurrency;
mod conformance;
mod ended;
mod everyone;
mod failure;
mod format;
mod harm;
mod managed;
mod near;
mod nodes;
mod once;
mod options;
mod pressure;
mod proxy;
mod replicas;
mod sealed;
mod sentinel;
mod server;
mod tls;
mod users;

use std::{error::Error as StdError, future::Future, sync::OnceLock, time::Duration};

use server::Server;
use session_core::{Delta, Lifetime, Loaded, NewSession, Page, Record, SessionId, SessionStore, SessionToken, Value};
use session_redis::{RedisOptions, RedisStore};

/// The server of all tests that leave it running and its data alone.
fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(Server::start)
}

/// A store on the shared server.
async fn store() -> RedisStore {
    connected(patient(server())).await
}

async fn connected(options: RedisOptions) -> RedisStore {
    RedisStore::connect(options).await.unwrap()
}

/// Settings for a machine that is busy with many tests.
fn patient(server: &Server) -> RedisOptions {
    patient_at(&server.url())
}

fn patient_at(url: &str) -> RedisOptions {
    let options = RedisOptions::from_url(url).unwrap();
    options
        .connect_timeout(Duration::from_secs(20))
        .command_timeout(Duration::from_secs(20))
}

/// A connection to look behind the store's back.
fn admin(server: &Server) -> redis::Connection {
    redis::Client::open(server.url()).unwrap().get_connection().unwrap()
}

/// Runs a command there, given in words.
fn run<T: redis::FromRedisValue>(admin: &mut redis::Connection, words: &[&str]) -> T {
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]).query(admin).unwrap()
}

/// The rights that are documented as needed, from this one on.
fn rights(first: &str) -> Vec<String> {
    let docs = include_str!("../../src/lib.rs");
    let found = docs.split('`').find(|text| text.starts_with(first)).unwrap();
    let found = found.replace("//!", "");
    found.split_whitespace().map(str::to_owned).collect()
}

fn key(id: &SessionId) -> String {
    let [high, low] = id.tag();
    format!("session:{{{high:02x}{low:02x}}}:{id}")
}

fn new_id() -> SessionId {
    SessionToken::random().unwrap().id()
}

/// An id with the shard tag of another, as a renewal needs it.
fn successor_of(id: &SessionId) -> SessionId {
    let mut bytes = *new_id().as_bytes();
    bytes[14..].copy_from_slice(&id.tag());
    SessionId::from_bytes(bytes)
}

fn new_user() -> String {
    format!("user-{}", new_id())
}

fn set(key: &str, json: &str) -> Delta {
    let mut delta = Delta::default();
    delta.set(key, Value::from_json(json.to_owned())).unwrap();
    delta
}

/// A live session of nobody's, with one key.
async fn session(store: &RedisStore) -> SessionId {
    let id = new_id();
    let new = NewSession::new(Lifetime::default()).with_delta(set("key", "1"));
    store.create(&id, &new).await.unwrap();
    id
}

async fn session_of(store: &RedisStore, user: &str) -> SessionId {
    let id = new_id();
    let new = NewSession::new(Lifetime::default()).with_user(user);
    store.create(&id, &new).await.unwrap();
    id
}

async fn load(store: &RedisStore, id: &SessionId) -> Option<Record> {
    match store.load(&[*id]).await.unwrap() {
        Loaded::Live(found, record) if found == *id => Some(*record),
        Loaded::Renewed(_) | Loaded::Missing => None,
        other => panic!("{other:?}"),
    }
}

async fn ids_of(store: &RedisStore, user: &str) -> Vec<SessionId> {
    let sessions = store.of_user(user, &Page::default()).await.unwrap();
    sessions.into_iter().map(|session| session.id).collect()
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
