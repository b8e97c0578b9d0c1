//! A server as providers run it: with TLS, and with a limit of memory beyond which it throws out what expires anyway.

use std::sync::OnceLock;

use session_core::conformance::ByTurns;
use session_redis::RedisStore;
use tempfile::NamedTempFile;

use crate::{
    connected, patient_at,
    server::{PASSWORD, Server, USER},
    tls::Authority,
};

session_core::conformance_tests!(ByTurns::new([store().await, store().await]));

session_core::once_tests!((store().await, store().await));

async fn store() -> RedisStore {
    static MANAGED: OnceLock<(Server, NamedTempFile)> = OnceLock::new();
    let (server, ca) = MANAGED.get_or_init(|| {
        let authority = Authority::new("provider");
        let settings = [("maxmemory", "256mb"), ("maxmemory-policy", "volatile-lru")];
        let server = Server::start_with(Some(&authority.certify("localhost")), &settings);
        (server, authority.file())
    });
    let url = format!("rediss://{USER}:{PASSWORD}@localhost:{}", server.port());
    connected(patient_at(&url).ca_file(ca.path())).await
}
