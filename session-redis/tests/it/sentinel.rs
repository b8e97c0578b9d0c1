//! A primary and two replicas that three sentinels watch over.

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use session_core::{Error, SessionStore, Update, conformance::ByTurns};
use session_redis::{RedisOptions, RedisStore};

use crate::{
    admin, chain, connected, load,
    nodes::{SERVICE, Sentinels},
    patient_at, run,
    server::PASSWORD,
    session, set,
};

/// Those of all tests that leave the servers running.
fn sentinels() -> &'static Sentinels {
    static SENTINELS: OnceLock<Sentinels> = OnceLock::new();
    SENTINELS.get_or_init(|| Sentinels::start(30_000))
}

async fn store() -> RedisStore {
    connected(patient_at(&sentinels().url())).await
}

mod conformance {
    use super::*;

    session_core::conformance_tests!(ByTurns::new([store().await, store().await]));

    session_core::once_tests!((store().await, store().await));
}

const CONNECT: Duration = Duration::from_secs(2);
const COMMAND: Duration = Duration::from_secs(1);

/// What a busy machine may add.
const SLACK: Duration = Duration::from_secs(10);

/// Writes until it works again, and returns the longest that a write took.
async fn write_until_it_works(store: &RedisStore, id: &session_core::SessionId) -> Duration {
    let (began, mut longest) = (Instant::now(), Duration::ZERO);
    loop {
        let asked = Instant::now();
        let written = store.update(id, &Update::new(set("key", "2"))).await;
        longest = longest.max(asked.elapsed());
        match written {
            Ok(_) => return longest,
            Err(Error::Unavailable { .. } | Error::Unknown { .. }) => {}
            Err(error) => panic!("{}", chain(&error)),
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{written:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p8_whatever_becomes_of_a_primary_another_one_is_written_to_without_a_restart() {
    let mut sentinels = tokio::task::spawn_blocking(|| Sentinels::start(1500)).await.unwrap();
    let options = RedisOptions::from_url(&sentinels.url()).unwrap();
    let store = connected(options.connect_timeout(CONNECT).command_timeout(COMMAND)).await;
    let id = session(&store).await;
    let replicated = |port| {
        let primary = sentinels.data.iter().find(|server| server.port() == port).unwrap();
        let _replicas: u32 = run(&mut admin(primary), &["WAIT", "1", "5000"]);
    };

    // It dies.
    let first = sentinels.primary_port();
    replicated(first);
    sentinels.primary().kill();
    let longest = write_until_it_works(&store, &id).await;
    assert!(longest < CONNECT + COMMAND + SLACK, "{longest:?}");
    assert_ne!(sentinels.primary_port(), first);
    assert!(load(&store, &id).await.is_some());

    // It is frozen.
    let second = sentinels.primary_port();
    sentinels.primary().freeze();
    let longest = write_until_it_works(&store, &id).await;
    assert!(longest < CONNECT + COMMAND + SLACK, "{longest:?}");
    let third = sentinels.primary_port();
    assert_ne!(third, second);
    assert!(load(&store, &id).await.is_some());
}

#[tokio::test]
async fn a_wrong_service_is_told_apart() {
    let url = sentinels().url().replace(SERVICE, "other");
    let error = RedisStore::connect(patient_at(&url)).await.unwrap_err();
    let text = chain(&error);
    assert!(error.is_lasting() && text.contains("knows no other"), "{text}");
    let url = sentinels()
        .url()
        .replace("sentinel_password=", "sentinel_password=not-");
    let error = RedisStore::connect(patient_at(&url)).await.unwrap_err();
    assert!(
        error.is_lasting() && chain(&error).contains("let nobody in"),
        "{}",
        chain(&error)
    );
    assert!(!chain(&error).contains(PASSWORD));
}
