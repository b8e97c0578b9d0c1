//! The suites of every store, by turns on two instances that share one server. One of them is a user who may do what is
//! documented as needed, and nothing else.

use session_core::conformance::ByTurns;
use session_redis::RedisStore;

use crate::{admin, connected, patient_at, rights, server};

session_core::conformance_tests!(ByTurns::new([crate::store().await, limited().await]));

session_core::once_tests!((crate::store().await, limited().await));

async fn limited() -> RedisStore {
    let mut allow = redis::cmd("ACL");
    let words = ["SETUSER", "frugal", "on", ">frugal", "~session:*", "resetchannels"];
    allow.arg(&words).arg(rights("+evalsha"));
    allow.arg(&["&session:changes", "+publish", "+subscribe"]);
    let _done: redis::Value = allow.query(&mut admin(server())).unwrap();
    connected(patient_at(&server().url_as("frugal", "frugal"))).await
}
