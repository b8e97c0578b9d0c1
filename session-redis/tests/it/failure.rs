//! A server that is away, slow, forgetful or strict.

use std::{
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use session_core::{Error, Lifetime, NewSession, Page, Renewal, SessionId, SessionStore, Update, Version};
use session_redis::{RedisOptions, RedisStore};
use tokio::task::JoinSet;

use crate::{
    admin, chain, connected, ids_of, key, load, new_id, new_user, patient, patient_at,
    proxy::Proxy,
    rights, run, server,
    server::{PASSWORD, Server, USER},
    session, session_of, set, store, successor_of, until,
};

const CONNECT: Duration = Duration::from_millis(400);
const COMMAND: Duration = Duration::from_millis(300);

/// What a busy machine may add.
const SLACK: Duration = Duration::from_secs(5);

fn impatient(server: &Server) -> RedisOptions {
    let options = RedisOptions::from_url(&server.url()).unwrap();
    options.connect_timeout(CONNECT).command_timeout(COMMAND)
}

async fn connected_through(proxy: &Proxy) -> RedisStore {
    connected(patient_at(&format!(
        "redis://{USER}:{PASSWORD}@127.0.0.1:{}",
        proxy.port
    )))
    .await
}

/// One of each, on sessions that are not there; the first four only read.
async fn each_operation(store: &RedisStore) -> Vec<Result<(), Error>> {
    let (id, user) = (new_id(), new_user());
    let new = NewSession::new(Lifetime::default());
    vec![
        store.ping().await,
        store.load(&[id]).await.map(drop),
        store.of_user(&user, &Page::default()).await.map(drop),
        store.end_all(&user, None).await.map(drop),
        store.create(&id, &new.clone().with_user(&user)).await.map(drop),
        store.create(&id, &new).await.map(drop),
        store.update(&id, &Update::new(set("a", "1"))).await.map(drop),
        store.touch(&id).await,
        store.renew(&id, &successor_of(&id), &Renewal::of(None)).await.map(drop),
        store.end(&id).await,
    ]
}

fn is_away<T>(answer: &Result<T, Error>) -> bool {
    matches!(answer, Err(Error::Unavailable { .. } | Error::Unknown { .. }))
}

async fn until_it_answers(store: &RedisStore) {
    until("an answer", || async { store.ping().await.ok() }).await;
}

#[tokio::test]
async fn an_unreachable_server_is_named_at_the_start() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let options = RedisOptions::from_url(&format!("redis://:geheim@{address}")).unwrap();
    let error = RedisStore::connect(options.clone()).await.unwrap_err();
    let text = chain(&error);
    assert!(
        matches!(error, Error::Unavailable { .. }) && !error.is_lasting(),
        "{text}"
    );
    assert!(text.contains(&address) && text.contains("cannot be reached"), "{text}");
    assert!(!format!("{text} {error:?}").contains("geheim"), "{text} {error:?}");

    let lazy = RedisStore::new(options).unwrap();
    for answer in each_operation(&lazy).await {
        assert!(matches!(answer, Err(Error::Unavailable { .. })), "{answer:?}");
    }
}

#[tokio::test]
async fn a_host_without_an_address_is_named() {
    let error = RedisStore::connect("redis://redis.invalid").await.unwrap_err();
    assert!(
        chain(&error).contains("redis.invalid:6379") && !error.is_lasting(),
        "{}",
        chain(&error)
    );
}

#[tokio::test]
async fn a_server_that_accepts_and_says_nothing_is_given_up_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let started = Instant::now();
    let options = RedisOptions::from_url(&url).unwrap().connect_timeout(CONNECT);
    let error = RedisStore::connect(options).await.unwrap_err();
    assert!(
        chain(&error).contains("did not open a connection within 400ms"),
        "{}",
        chain(&error)
    );
    assert!(started.elapsed() >= CONNECT && started.elapsed() < CONNECT + SLACK);
}

#[tokio::test]
async fn a_wrong_password_is_told_apart_and_not_shown() {
    let without = format!("redis://127.0.0.1:{}", server().port());
    for (url, user) in [
        (server().url_as(USER, "geheim"), USER),
        (server().url_as("nobody", "geheim"), "nobody"),
        (without, USER),
    ] {
        let error = RedisStore::connect(patient_at(&url)).await.unwrap_err();
        let text = chain(&error);
        assert!(error.is_lasting(), "{text}");
        let address = format!("127.0.0.1:{}", server().port());
        assert!(
            text.contains(&address) && text.contains(&format!("let nobody in as {user:?}")),
            "{text}"
        );
        assert!(!format!("{text} {error:?}").contains("geheim"), "{text} {error:?}");
    }
}

#[tokio::test]
async fn a_killed_server_is_an_error_in_time_and_works_again_when_it_is_back() {
    let mut server = Server::start_durable();
    let store = connected(impatient(&server).command_timeout(SLACK)).await;
    let (user, id) = (new_user(), session(&store).await);
    let login = session_of(&store, &user).await;
    server.kill();
    for answer in each_operation(&store).await {
        assert!(matches!(answer, Err(Error::Unavailable { .. })), "{answer:?}");
    }
    server.restart();
    until_it_answers(&store).await;
    assert_eq!(load(&store, &id).await.unwrap().version, Version(1));
    assert_eq!(ids_of(&store, &user).await, [login]);
    assert_eq!(store.end_all(&user, None).await.unwrap(), 1);
}

#[tokio::test]
async fn a_fast_restart_goes_unnoticed_by_reads_and_writes() {
    let mut server = Server::start_durable();
    let store = connected(patient(&server)).await;
    let id = session(&store).await;
    for (number, value) in ["2", "3", "4"].into_iter().enumerate() {
        // Nothing runs meanwhile, so the store cannot have noticed either.
        server.kill();
        server.restart();
        let version = store.update(&id, &Update::new(set("key", value))).await.unwrap();
        assert_eq!(version, Version(number as u64 + 2));
        server.kill();
        server.restart();
        assert_eq!(
            load(&store, &id).await.unwrap().data["key"].as_bytes(),
            value.as_bytes()
        );
    }
    server.kill();
    server.restart();
    session_of(&store, "somebody").await;
}

#[tokio::test]
async fn a_server_restarted_empty_has_ended_all_sessions() {
    let mut server = Server::start();
    let store = connected(patient(&server)).await;
    let user = new_user();
    let id = session_of(&store, &user).await;
    server.kill();
    server.restart();
    assert!(load(&store, &id).await.is_none());
    assert!(matches!(store.touch(&id).await, Err(Error::Ended)));
    assert!(ids_of(&store, &user).await.is_empty());
    let new = session_of(&store, &user).await;
    assert_eq!(ids_of(&store, &user).await, [new]);
}

#[tokio::test]
async fn a_frozen_server_is_an_error_in_time_and_works_again_when_it_goes_on() {
    let server = Server::start();
    let store = connected(impatient(&server)).await;
    let id = session(&store).await;
    server.freeze();

    let started = Instant::now();
    let update = store.update(&id, &Update::new(set("late", "1"))).await;
    assert!(matches!(update, Err(Error::Unknown { .. })), "{update:?}");
    assert!(started.elapsed() < CONNECT + COMMAND + SLACK);
    for _ in 0..2 {
        let started = Instant::now();
        let mut loads = JoinSet::new();
        for _ in 0..20 {
            let store = store.clone();
            loads.spawn(async move { store.load(&[id]).await });
        }
        for answer in loads.join_all().await {
            assert!(matches!(answer, Err(Error::Unavailable { .. })), "{answer:?}");
        }
        assert!(started.elapsed() < CONNECT + COMMAND + SLACK);
    }

    server.thaw();
    until_it_answers(&store).await;
    let version = load(&store, &id).await.unwrap().version;
    assert!(version <= Version(2), "{version:?}");
    store.touch(&id).await.unwrap();
}

#[tokio::test]
async fn a_read_of_a_frozen_server_is_given_up_in_time() {
    let server = Server::start();
    let store = connected(impatient(&server)).await;
    server.freeze();
    let started = Instant::now();
    let answer = store.load(&[new_id()]).await;
    assert!(matches!(answer, Err(Error::Unavailable { .. })), "{answer:?}");
    assert!(started.elapsed() >= COMMAND && started.elapsed() < COMMAND + SLACK);
    assert!(chain(&answer.unwrap_err()).contains("did not answer within 300ms"));
    server.thaw();
    until_it_answers(&store).await;
}

#[tokio::test]
async fn many_operations_while_the_server_is_down_make_few_connections() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let accepted = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&accepted);
    tokio::spawn(async move {
        loop {
            drop(listener.accept().await.unwrap());
            counter.fetch_add(1, Ordering::SeqCst);
        }
    });
    let store = RedisStore::new(patient_at(&format!("redis://{address}"))).unwrap();
    let mut operations = JoinSet::new();
    for _ in 0..200 {
        let store = store.clone();
        operations.spawn(async move { store.touch(&new_id()).await });
    }
    for answer in operations.join_all().await {
        assert!(matches!(answer, Err(Error::Unavailable { .. })), "{answer:?}");
    }
    let accepted = accepted.load(Ordering::SeqCst);
    assert!((1..=8).contains(&accepted), "{accepted}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_operations_after_a_restart_share_one_connection() {
    let mut server = Server::start();
    let store = connected(patient(&server)).await;
    server.kill();
    server.restart();
    let mut operations = JoinSet::new();
    for _ in 0..200 {
        let store = store.clone();
        operations.spawn(async move { store.load(&[new_id()]).await });
    }
    for answer in operations.join_all().await {
        answer.unwrap();
    }
    let stats: String = run(&mut admin(&server), &["INFO", "stats"]);
    let line = stats
        .lines()
        .find_map(|line| line.strip_prefix("total_connections_received:"));
    // The store's and the one that asks.
    assert_eq!(line, Some("2"));
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_is_done_once_when_repeated() {
    for user in [None, Some(new_user())] {
        let proxy = Proxy::to(server().port()).await;
        let store = connected_through(&proxy).await;
        let id = new_id();
        let mut new = NewSession::new(Lifetime::default()).with_delta(set("a", "1"));
        new.user = user.clone();
        proxy.lose_next_answer();
        let lost = store.create(&id, &new).await;
        assert!(
            matches!(lost, Err(Error::Unknown { .. })) && proxy.has_lost(),
            "{lost:?}"
        );
        assert_eq!(store.create(&id, &new).await.unwrap(), Version(1));
        if let Some(user) = user {
            assert_eq!(ids_of(&store, &user).await, [id]);
        }
    }
}

#[tokio::test]
async fn a_renewal_whose_answer_is_lost_is_done_once_when_repeated() {
    let proxy = Proxy::to(server().port()).await;
    let store = connected_through(&proxy).await;
    let user = new_user();
    for (from, renewal) in [
        (session_of(&store, &user).await, Renewal::of(Some(user.clone()))),
        (session(&store).await, Renewal::login(&user, Lifetime::default())),
    ] {
        let to = successor_of(&from);
        let renewal = renewal.with_delta(set("n", "1"));
        proxy.lose_next_answer();
        let lost = store.renew(&from, &to, &renewal).await;
        assert!(
            matches!(lost, Err(Error::Unknown { .. })) && proxy.has_lost(),
            "{lost:?}"
        );
        assert_eq!(store.renew(&from, &to, &renewal).await.unwrap(), Version(2));
        assert_eq!(load(&store, &to).await.unwrap().version, Version(2));
        assert!(load(&store, &from).await.is_none());
    }
    assert_eq!(ids_of(&store, &user).await.len(), 2);
}

#[tokio::test]
async fn an_update_whose_answer_is_lost_is_unknown_and_not_done_twice() {
    let proxy = Proxy::to(server().port()).await;
    let store = connected_through(&proxy).await;
    let id = session(&store).await;
    proxy.lose_next_answer();
    let lost = store.update(&id, &Update::new(set("key", "2"))).await;
    assert!(
        matches!(lost, Err(Error::Unknown { .. })) && proxy.has_lost(),
        "{lost:?}"
    );
    let record = load(&store, &id).await.unwrap();
    assert_eq!((record.version, record.data["key"].as_bytes()), (Version(2), &b"2"[..]));
}

#[tokio::test]
async fn a_read_whose_answer_is_lost_is_done_again() {
    let proxy = Proxy::to(server().port()).await;
    let store = connected_through(&proxy).await;
    let user = new_user();
    let id = session_of(&store, &user).await;
    proxy.lose_next_answer();
    assert!(load(&store, &id).await.is_some() && proxy.has_lost());
    proxy.lose_next_answer();
    assert_eq!(ids_of(&store, &user).await, [id]);
    assert!(proxy.has_lost());
    assert_eq!(proxy.opened(), 3);
}

#[tokio::test]
async fn an_operation_is_one_round_trip() {
    let proxy = Proxy::to(server().port()).await;
    let store = connected_through(&proxy).await;
    let (id, user) = (new_id(), new_user());
    let to = successor_of(&id);
    let before = proxy.passed();
    let new = NewSession::new(Lifetime::default())
        .with_user(&user)
        .with_delta(set("a", "1"));
    store.create(&id, &new).await.unwrap();
    store.load(&[new_id(), new_id(), new_id(), id]).await.unwrap();
    store.update(&id, &Update::new(set("a", "2")).touching()).await.unwrap();
    store.touch(&id).await.unwrap();
    store.renew(&id, &to, &Renewal::of(Some(user.clone()))).await.unwrap();
    store.end(&to).await.unwrap();
    store.ping().await.unwrap();
    assert_eq!(proxy.passed() - before, 7);
    assert_eq!(proxy.opened(), 1);
}

#[tokio::test]
async fn scripts_that_the_server_forgot_are_taught_again() {
    let server = Server::start();
    let (store, mut admin) = (connected(patient(&server)).await, admin(&server));
    let user = new_user();
    let mut forget = || {
        let _done: redis::Value = run(&mut admin, &["SCRIPT", "FLUSH"]);
    };
    let visitor = session(&store).await;
    forget();
    let id = session_of(&store, &user).await;
    forget();
    store.update(&id, &Update::new(set("a", "1"))).await.unwrap();
    forget();
    store.touch(&id).await.unwrap();
    forget();
    let to = successor_of(&id);
    let version = store.renew(&id, &to, &Renewal::of(Some(user.clone()))).await.unwrap();
    assert_eq!(version, Version(3));
    assert_eq!(ids_of(&store, &user).await, [to]);
    forget();
    assert_eq!(store.end_all(&user, None).await.unwrap(), 1);
    forget();
    store.end(&visitor).await.unwrap();
    assert!(load(&store, &visitor).await.is_none());
    forget();
    store.purge(10).await.unwrap();
}

/// The server knows one script of two that go out together: that of the list or that of the session.
#[tokio::test]
async fn a_server_that_forgot_only_the_lists_script_lists_every_session() {
    let server = Server::start();
    let (store, mut admin) = (connected(patient(&server)).await, admin(&server));
    for text in [
        concat!(
            include_str!("../../src/scripts/record.lua"),
            "\n",
            include_str!("../../src/scripts/create.lua")
        ),
        concat!(
            include_str!("../../src/scripts/index.lua"),
            "\n",
            include_str!("../../src/scripts/reserve.lua")
        ),
    ] {
        let _done: redis::Value = run(&mut admin, &["SCRIPT", "FLUSH"]);
        let _hash: String = run(&mut admin, &["SCRIPT", "LOAD", text]);
        let user = new_user();
        let id = session_of(&store, &user).await;
        assert_eq!(ids_of(&store, &user).await, [id]);
    }
}

#[tokio::test]
async fn a_user_with_the_documented_rights_can_do_everything() {
    let mut admin = admin(server());
    let mut allow = redis::cmd("ACL");
    allow
        .arg("SETUSER")
        .arg("limited")
        .arg("on")
        .arg(">limited")
        .arg("~limited:*")
        .arg("resetchannels");
    allow.arg(rights("+evalsha"));
    let _done: redis::Value = allow.query(&mut admin).unwrap();

    let options = patient_at(&server().url_as("limited", "limited")).key_prefix("limited");
    let store = connected(options.clone()).await;
    let user = new_user();
    let mut logins = Vec::new();
    for _ in 0..2 {
        let visitor = session(&store).await;
        let login = successor_of(&visitor);
        store
            .renew(&visitor, &login, &Renewal::login(&user, Lifetime::default()))
            .await
            .unwrap();
        logins.push(login);
    }
    let mut changes = set("a", "1");
    changes.remove("key");
    store
        .update(&logins[0], &Update::new(changes).touching().expecting("a", None))
        .await
        .unwrap();
    store.touch(&logins[0]).await.unwrap();
    let plain = successor_of(&logins[0]);
    let renewal = Renewal::of(Some(user.clone()));
    store.renew(&logins[0], &plain, &renewal).await.unwrap();
    let new = NewSession::new(Lifetime::default()).with_delta(set("a", "1"));
    let id = new_id();
    store.create(&id, &new).await.unwrap();
    store.create(&id, &new).await.unwrap();
    store.end(&id).await.unwrap();
    let page = Page::default();
    assert_eq!(store.of_user(&user, &page).await.unwrap().len(), 2);
    assert_eq!(store.end_all(&user, Some(&plain)).await.unwrap(), 1);
    store.purge(100).await.unwrap();
    store.ping().await.unwrap();

    // And nothing beyond its own keys.
    let foreign = connected(options.key_prefix("session")).await;
    assert!(is_away(&foreign.load(&[id]).await));
    assert!(is_away(&foreign.touch(&id).await));
}

#[tokio::test]
async fn a_server_whose_memory_is_full_refuses_and_changes_nothing() {
    let server = Server::start();
    let (store, mut admin) = (connected(patient(&server)).await, admin(&server));
    let user = new_user();
    let id = session(&store).await;
    let _done: redis::Value = run(&mut admin, &["CONFIG", "SET", "maxmemory", "1"]);
    let new = new_id();
    for answer in [
        store.update(&id, &Update::new(set("key", "2"))).await,
        store.create(&new, &NewSession::new(Lifetime::default())).await,
        store
            .create(&new, &NewSession::new(Lifetime::default()).with_user(&user))
            .await,
    ] {
        assert!(matches!(answer, Err(Error::Unavailable { .. })), "{answer:?}");
    }
    assert_eq!(load(&store, &id).await.unwrap().version, Version(1));
    assert!(load(&store, &new).await.is_none());
    store.end(&id).await.unwrap();
    assert!(load(&store, &id).await.is_none());
    let _done: redis::Value = run(&mut admin, &["CONFIG", "SET", "maxmemory", "0"]);
    session_of(&store, &user).await;
}

#[tokio::test]
async fn a_renewal_in_a_full_memory_is_done_whole_or_not_at_all() {
    let server = Server::start();
    let (store, mut admin) = (connected(patient(&server)).await, admin(&server));
    let id = session(&store).await;
    let to = successor_of(&id);
    let _done: redis::Value = run(&mut admin, &["CONFIG", "SET", "maxmemory", "1"]);
    let answer = store
        .renew(&id, &to, &Renewal::of(None).with_delta(set("key", "2")))
        .await;
    let (old, new) = (load(&store, &id).await, load(&store, &to).await);
    match answer {
        Ok(version) => assert!(old.is_none() && new.unwrap().version == version),
        Err(Error::Unavailable { .. }) => assert!(old.unwrap().version == Version(1) && new.is_none()),
        Err(error) => panic!("{error}"),
    }
    let lives: i64 = run(&mut admin, &["PTTL", &key(if answer.is_ok() { &to } else { &id })]);
    assert!(lives > 0);
}

#[tokio::test]
async fn a_server_that_became_a_replica_is_left_until_it_is_master_again() {
    let server = Server::start();
    let (store, mut admin) = (connected(patient(&server)).await, admin(&server));
    let id = session(&store).await;
    let _done: redis::Value = run(&mut admin, &["REPLICAOF", "127.0.0.1", "1"]);
    let answer = store.touch(&id).await;
    assert!(matches!(answer, Err(Error::Unavailable { .. })), "{answer:?}");
    let answer = store.touch(&id).await.unwrap_err();
    assert!(chain(&answer).contains("is a replica"), "{}", chain(&answer));
    let _done: redis::Value = run(&mut admin, &["REPLICAOF", "NO", "ONE"]);
    until_it_answers(&store).await;
    store.touch(&id).await.unwrap();
}

#[tokio::test]
async fn a_cluster_without_slots_is_waited_for() {
    let server = Server::start_with(None, &[("cluster-enabled", "yes")]);
    let store = RedisStore::new(patient(&server)).unwrap();
    let error = store.ping().await.unwrap_err();
    assert!(
        chain(&error).contains("has no slots") && !error.is_lasting(),
        "{}",
        chain(&error)
    );
    let mut add_slots = redis::cmd("CLUSTER");
    add_slots.arg("ADDSLOTS").arg((0..16384).collect::<Vec<_>>());
    add_slots.exec(&mut admin(&server)).unwrap();
    until_it_answers(&store).await;
    until("a session", || async {
        let new = NewSession::new(Lifetime::default()).with_user("somebody");
        store.create(&new_id(), &new).await.ok()
    })
    .await;
}

#[tokio::test]
async fn a_caller_who_goes_away_costs_neither_the_others_nor_the_connection() {
    let proxy = Proxy::to(server().port()).await;
    let store = connected_through(&proxy).await;
    let id = session(&store).await;
    let mut held = proxy.hold_next_answer();
    let gone = tokio::spawn({
        let store = store.clone();
        async move { store.touch(&id).await }
    });
    held.has_come().await;
    let stays = tokio::spawn({
        let store = store.clone();
        async move { load(&store, &id).await }
    });
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    drop(held);
    assert_eq!(stays.await.unwrap().unwrap().version, Version(1));
    assert_eq!(proxy.opened(), 1);
}

#[tokio::test]
async fn a_dropped_store_closes_its_connection() {
    let server = Server::start();
    let mut admin = admin(&server);
    let store = connected(patient(&server)).await;
    let clone = store.clone();
    drop(store);
    clone.ping().await.unwrap();
    drop(clone);
    until("the end of the connection", || {
        let clients: String = run(&mut admin, &["CLIENT", "LIST"]);
        async move { (clients.lines().count() == 1).then_some(()) }
    })
    .await;
}

#[test]
fn a_store_outlives_the_runtime_it_was_first_used_in() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let store = runtime().block_on(store());
    let id: SessionId = runtime().block_on(session(&store));
    assert!(runtime().block_on(load(&store, &id)).is_some());
}
