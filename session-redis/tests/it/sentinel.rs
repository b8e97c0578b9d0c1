//! A primary and two replicas that three sentinels watch over.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use session_core::{Error, Lifetime, NewSession, SessionId, SessionStore, Update, conformance::ByTurns, until_ended};
use session_redis::{RedisOptions, RedisStore};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::{
    admin, chain, connected, key, load, new_id,
    nodes::{SERVICE, Sentinels},
    patient_at, run,
    server::{PASSWORD, Server, USER},
    session, session_of, set,
    tls::Authority,
    until,
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

    session_core::conformance_tests!(ByTurns::new([store().await, waiting().await]));

    session_core::once_tests!((store().await, waiting().await));

    /// A store that acknowledges logins, renewals and ends when both replicas have them.
    async fn waiting() -> RedisStore {
        let options = patient_at(&sentinels().url());
        connected(options.wait_for_replicas(2, SLACK)).await
    }
}

const CONNECT: Duration = Duration::from_secs(2);
const COMMAND: Duration = Duration::from_secs(1);

/// What a busy machine may add.
const SLACK: Duration = Duration::from_secs(10);

/// Writes until it works again, and returns the longest that a write took.
async fn write_until_it_works(store: &RedisStore, id: &SessionId) -> Duration {
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
    // What a failover may forget is not what this is about.
    let careful = |replicas| connected(patient_at(&sentinels.url()).wait_for_replicas(replicas, SLACK));
    let id = session_of(&careful(2).await, "somebody").await;
    let careful = careful(1).await;

    // It dies.
    let first = sentinels.primary_port();
    sentinels.primary().kill();
    let longest = write_until_it_works(&store, &id).await;
    assert!(longest < CONNECT + COMMAND + SLACK, "{longest:?}");
    assert_ne!(sentinels.primary_port(), first);
    assert!(load(&store, &id).await.is_some());

    // The next one is frozen, once the last has followed it.
    let new = NewSession::new(Lifetime::default()).with_user("somebody");
    let id = until("a replica", || async {
        let id = new_id();
        careful.create(&id, &new).await.is_ok().then_some(id)
    })
    .await;
    let second = sentinels.primary_port();
    sentinels.primary().freeze();
    let longest = write_until_it_works(&store, &id).await;
    assert!(longest < CONNECT + COMMAND + SLACK, "{longest:?}");
    let third = sentinels.primary_port();
    assert_ne!(third, second);
    assert!(load(&store, &id).await.is_some());
}

/// A sentinel that says what it is told to, to whoever connects.
struct Puppet {
    port: u16,
    says: watch::Sender<(u16, u32)>,
}

impl Puppet {
    async fn naming(primary: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, (says, told)) = (listener.local_addr().unwrap().port(), watch::channel((primary, 1)));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(answer(client, primary, told.clone()));
            }
        });
        Self { port, says }
    }
}

/// As one that leads a failover: its record has the new epoch, and the `old` address for a while.
async fn answer(mut client: TcpStream, old: u16, told: watch::Receiver<(u16, u32)>) {
    let mut buffer = vec![0; 4096];
    while let Ok(length @ 1..) = client.read(&mut buffer).await {
        let asked = String::from_utf8_lossy(&buffer[..length]);
        let said = if asked.contains("SENTINEL") {
            let (port, epoch) = *told.borrow();
            let list = |words: &[&str]| {
                let each = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len()));
                format!("*{}\r\n{}", words.len(), each.collect::<String>())
            };
            let (ip, old, port, epoch) = ("127.0.0.1", old.to_string(), port.to_string(), epoch.to_string());
            list(&["ip", ip, "port", &old, "config-epoch", &epoch]) + &list(&[ip, &port])
        } else {
            "+OK\r\n".repeat(asked.lines().filter(|line| line.starts_with('*')).count())
        };
        client.write_all(said.as_bytes()).await.unwrap();
    }
}

/// As where the old primary, and this instance, are cut off from all others but a sentinel.
#[tokio::test]
async fn a_primary_that_does_not_know_that_it_was_replaced_is_left() {
    let (old, new) = (Server::start(), Server::start());
    let (silent, puppet) = (
        TcpListener::bind("127.0.0.1:0").await.unwrap(),
        Puppet::naming(old.port()).await,
    );
    let silent = silent.local_addr().unwrap();
    let url = format!(
        "redis-sentinel://{USER}:{PASSWORD}@{silent},127.0.0.1:{}/{SERVICE}",
        puppet.port
    );
    let options = RedisOptions::from_url(&url).unwrap();
    let store = connected(options.connect_timeout(CONNECT).command_timeout(SLACK)).await;
    let waiting = tokio::spawn(until_ended(Arc::new(store.clone()), session(&store).await));
    let subscribed = |server: &Server| {
        let (_, count): (String, u64) = run(&mut admin(server), &["PUBSUB", "NUMSUB", "session:changes"]);
        count
    };
    until("the subscription", || async { (subscribed(&old) == 1).then_some(()) }).await;

    // What is older changes nothing.
    puppet.says.send_replace((new.port(), 0));
    let id = session(&store).await;
    assert_eq!(run::<u32>(&mut admin(&old), &["EXISTS", &key(&id)]), 1);
    puppet.says.send_replace((new.port(), 2));
    until("a write to the new one", || async {
        let id = new_id();
        let written = store.create(&id, &NewSession::new(Lifetime::default())).await;
        (written.is_ok() && run::<u32>(&mut admin(&new), &["EXISTS", &key(&id)]) == 1).then_some(())
    })
    .await;
    until("the other subscription", || async {
        (subscribed(&new) == 1).then_some(())
    })
    .await;
    waiting.abort();
}

#[tokio::test]
async fn sentinels_and_what_they_name_are_known_by_their_certificates() {
    let authority = Authority::new("sentinels");
    let file = authority.file();
    let path = file.path().to_str().unwrap();
    let (settings, certificate) = (
        [("tls-ca-cert-file", path), ("tls-replication", "yes")],
        authority.certify("127.0.0.1"),
    );
    let primary = Server::start_with(Some(&certificate), &settings);
    let lines = format!(
        "sentinel monitor {SERVICE} 127.0.0.1 {} 1\nsentinel auth-pass {SERVICE} {PASSWORD}\n",
        primary.port()
    );
    let sentinel = Server::start_sentinel(Some(&certificate), &settings, &lines);
    let url = |host: &str| {
        let at = format!("{USER}:{PASSWORD}@{host}:{}", sentinel.port());
        format!("rediss-sentinel://{at}/{SERVICE}?sentinel_username={USER}&sentinel_password={PASSWORD}")
    };
    let store = connected(patient_at(&url("127.0.0.1")).ca_file(path)).await;
    let id = session(&store).await;
    assert!(load(&store, &id).await.is_some());
    for (refused, why) in [
        (patient_at(&url("127.0.0.1")), "UnknownIssuer"),
        (patient_at(&url("localhost")).ca_file(path), "not valid for name"),
    ] {
        let error = RedisStore::connect(refused).await.unwrap_err();
        assert!(error.is_lasting() && chain(&error).contains(why), "{}", chain(&error));
    }
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
