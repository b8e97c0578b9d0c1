//! A server as providers run it: with TLS, a standby that took its primary's place, and a role with rights on rows
//! only.

use session_core::conformance::ByTurns;
use session_postgres::{PostgresOptions, PostgresStore};
use tempfile::NamedTempFile;
use tokio::sync::OnceCell;

use crate::{
    migrated, patient_at,
    server::{PASSWORD, Server, USER},
    tls::Authority,
};

session_core::conformance_tests!(ByTurns::new([store().await, store().await]));

session_core::once_tests!((store().await, store().await));

const ROLE: &str = "web";

async fn store() -> PostgresStore {
    static MANAGED: OnceCell<(Server, NamedTempFile)> = OnceCell::const_new();
    let (server, ca) = MANAGED.get_or_init(promoted).await;
    PostgresStore::connect(at(server, ROLE, ROLE, ca)).await.unwrap()
}

/// A standby that was promoted when its primary died.
async fn promoted() -> (Server, NamedTempFile) {
    let authority = Authority::new("provider");
    let ca = authority.file();
    let mut primary = Server::start_with(Some(&authority.certify("localhost")));
    let standby = primary.start_standby();
    migrated(at(&primary, USER, PASSWORD, &ca)).await;
    for statement in [
        "CREATE ROLE web LOGIN PASSWORD 'web'",
        "GRANT USAGE ON SCHEMA session TO web",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA session TO web",
    ] {
        primary.sql(statement);
    }
    primary.kill();
    standby.promote();
    (standby, ca)
}

fn at(server: &Server, user: &str, password: &str, ca: &NamedTempFile) -> PostgresOptions {
    let url = format!("postgres://{user}:{password}@localhost:{}/postgres", server.port());
    patient_at(&url).ca_file(ca.path())
}
