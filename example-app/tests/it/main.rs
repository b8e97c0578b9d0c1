//! Tests across instances: real processes, over a real Redis and a real Postgres that the tests start themselves.

#![allow(clippy::unwrap_used, reason = "a panic is the failure message")]

mod across;
mod bad_input;
mod bound;
mod browser;
mod chromium;
mod database;
mod fleet;
mod forced;
mod gate;
mod limit;
mod logged_out;
mod outage;
mod platform;
mod process;
mod races;
mod ready;
mod renewal;
mod rolling;
mod traffic;

#[path = "../../../session-postgres/tests/it/server.rs"]
mod postgres_server;
#[path = "../../../session-redis/tests/it/server.rs"]
mod redis_server;
