//! A server that is away, comes back, is frozen, or loses its answers; records that somebody damaged.

use std::{
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::{Duration, Instant},
};

use session_core::{
    Error, Expectation, Lifetime, Loaded, NewSession, Page, Renewal, SessionStore, SessionToken, Update, Value, Version,
};
use session_postgres::{PostgresOptions, PostgresStore};
use sqlx::{AssertSqlSafe, Executor};
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    admin, chain, load, migrated, new_id, patient, patient_at,
    proxy::Proxy,
    server,
    server::{PASSWORD, Server, USER},
    session, set, store, until,
};

/// How much later than its deadline an operation may return on a machine that is busy with other tests.
const SLACK: Duration = Duration::from_secs(5);

/// A store with one connection, whose statements are prepared: then what is lost is the answer to the statement.
async fn prepared_through(proxy: &Proxy) -> PostgresStore {
    let url = format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/postgres", proxy.port);
    let store = migrated(patient_at(&url).connections(1)).await;
    let id = session(&store).await;
    let to = new_id();
    store.renew(&id, &to, &Renewal::of(None)).await.unwrap();
    let update = Update::new(set("key", "2"));
    store.update(&to, &update).await.unwrap();
    store.update(&to, &update.touching()).await.unwrap();
    store.touch(&to).await.unwrap();
    load(&store, &to).await.unwrap();
    store.end(&to).await.unwrap();
    store
}

/// An operation of each kind.
async fn each_operation(store: &PostgresStore) -> Vec<Result<(), Error>> {
    let (id, to) = (new_id(), new_id());
    vec![
        store.create(&id, &NewSession::new(Lifetime::default())).await.map(drop),
        store.load(&[id]).await.map(drop),
        store.update(&id, &Update::new(set("key", "2"))).await.map(drop),
        store.touch(&id).await,
        store
            .renew(&id, &to, &Renewal::login("each operation", Lifetime::default()))
            .await
            .map(drop),
        store.of_user("each operation", &Page::default()).await.map(drop),
        store.end_all("each operation", Some(&to)).await.map(drop),
        store.end(&to).await,
        store.purge(10).await.map(drop),
        store.ping().await,
    ]
}

#[tokio::test]
async fn an_unreachable_server_is_named_at_the_start() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let refused = PostgresStore::connect(&*format!("postgres://app:geheim@{address}/app"))
        .await
        .unwrap_err();
    assert!(matches!(refused, Error::Unavailable { .. }) && !refused.is_lasting());
    let text = chain(&refused);
    assert!(
        text.contains(&format!("PostgreSQL at {address} cannot be reached")),
        "{text}"
    );
    assert!(
        !text.contains("geheim") && !format!("{refused:?}").contains("geheim"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_server_that_accepts_and_says_nothing_is_given_up_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://app@{}/app", listener.local_addr().unwrap());
    let options = PostgresOptions::from_url(&url)
        .unwrap()
        .connect_timeout(Duration::from_millis(200));
    let begin = Instant::now();
    let refused = PostgresStore::connect(options).await.unwrap_err();
    assert!(begin.elapsed() < Duration::from_millis(200) + SLACK);
    let text = chain(&refused);
    assert!(text.contains("did not open a connection within 200ms"), "{text}");
}

/// As a balancer does whose server is away.
#[tokio::test]
async fn a_server_that_accepts_and_hangs_up_may_come_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((link, _)) = listener.accept().await {
            drop(link)
        }
    });
    let refused = PostgresStore::connect(&*format!("postgres://app@{address}/app"))
        .await
        .unwrap_err();
    let text = chain(&refused);
    assert!(!refused.is_lasting() && text.contains("cannot be reached"), "{text}");
}

#[tokio::test]
async fn a_wrong_password_is_told_apart_and_not_shown() {
    let refused = PostgresStore::connect(&*server().url_as(USER, "geheim"))
        .await
        .unwrap_err();
    let text = chain(&refused);
    assert!(
        text.contains("let nobody in as \"postgres\"") && refused.is_lasting(),
        "{text}"
    );
    assert!(text.contains(&format!("127.0.0.1:{}", server().port())), "{text}");
    assert!(
        !text.contains("geheim") && !format!("{refused:?}").contains("geheim"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_killed_server_is_an_error_in_time_and_works_again_when_it_is_back() {
    let mut server = Server::start();
    let store = migrated(patient(&server)).await;
    let id = session(&store).await;
    server.kill();
    for _ in 0..3 {
        for result in each_operation(&store).await {
            let error = result.unwrap_err();
            assert!(
                matches!(error, Error::Unavailable { .. } | Error::Unknown { .. }),
                "{error:?}"
            );
        }
    }
    // Nothing can have been done by a server that was not there: only a link that just broke leaves a doubt.
    assert!(matches!(store.touch(&id).await, Err(Error::Unavailable { .. })));
    server.restart();
    until("work again", || async { store.load(&[id]).await.ok() }).await;
    assert!(load(&store, &id).await.is_some());
    for result in each_operation(&store).await {
        assert!(matches!(result, Ok(()) | Err(Error::Ended)), "{result:?}");
    }
}

#[tokio::test]
async fn a_fast_restart_goes_unnoticed_by_reads_and_writes() {
    let mut server = Server::start();
    let store = migrated(patient(&server)).await;
    let id = session(&store).await;
    for round in 0..3 {
        server.stop_fast();
        server.restart();
        // The connection is dead, and its last words say that the statement was not done.
        let version = store
            .update(&id, &Update::new(set("round", &round.to_string())))
            .await
            .unwrap();
        assert_eq!(version, Version(round + 2));
        server.stop_fast();
        server.restart();
        assert!(load(&store, &id).await.is_some());
    }
}

#[tokio::test]
async fn a_frozen_server_is_an_error_in_time_and_works_again_when_it_goes_on() {
    let server = Server::start();
    let id = session(&migrated(patient(&server)).await).await;
    let limit = Duration::from_secs(1);
    let store = PostgresStore::connect(patient(&server).command_timeout(limit))
        .await
        .unwrap();
    server.freeze();
    let begin = Instant::now();
    let results = each_operation(&store).await;
    let most = (limit + SLACK) * u32::try_from(results.len()).unwrap();
    assert!(begin.elapsed() < most, "{:?}", begin.elapsed());
    for result in results {
        let error = result.unwrap_err();
        assert!(
            matches!(error, Error::Unavailable { .. } | Error::Unknown { .. }),
            "{error:?}"
        );
    }
    server.thaw();
    until("work again", || async { store.touch(&id).await.ok() }).await;
    assert!(load(&store, &id).await.is_some());
    until("the end of what nobody waits for", || async {
        let mut admin = admin(&server).await;
        let text = "SELECT count(*) FROM pg_stat_activity \
                    WHERE application_name = 'session-postgres' AND state = 'active'";
        let active: i64 = sqlx::query_scalar(text).fetch_one(&mut admin).await.unwrap();
        (active == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn many_operations_while_the_server_is_down_make_few_connections() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://app@{}/app", listener.local_addr().unwrap());
    let opened = Arc::new(AtomicUsize::new(0));
    let accepting = tokio::spawn({
        let opened = Arc::clone(&opened);
        async move {
            while listener.accept().await.is_ok() {
                opened.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    let store = PostgresStore::new(PostgresOptions::from_url(&url).unwrap()).unwrap();
    let begin = Instant::now();
    let mut operations = JoinSet::new();
    for _ in 0..200 {
        let store = store.clone();
        operations.spawn(async move { store.touch(&new_id()).await });
    }
    while let Some(result) = operations.join_next().await {
        assert!(matches!(result.unwrap(), Err(Error::Unavailable { .. })));
    }
    let elapsed = begin.elapsed();
    assert!(elapsed < Duration::from_secs(1) + SLACK, "{elapsed:?}");
    accepting.abort();
    // After 10 ms, 20 ms, 40 ms and so on, or half of that: at most eight times in the first second.
    let opened = opened.load(Ordering::SeqCst);
    assert!((1..=20).contains(&opened), "{opened} in {elapsed:?}");
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_is_done_once_when_repeated() {
    let proxy = Proxy::to(server().port()).await;
    let store = prepared_through(&proxy).await;
    let (id, new) = (
        new_id(),
        NewSession::new(Lifetime::default()).with_delta(set("key", "1")),
    );
    proxy.lose_next_answer();
    assert!(matches!(store.create(&id, &new).await, Err(Error::Unknown { .. })));
    assert!(proxy.has_lost());
    let created = load(&store, &id).await.expect("done, and not known to be").created;
    assert_eq!(store.create(&id, &new).await.unwrap(), Version(1));
    assert_eq!(load(&store, &id).await.unwrap().created, created);
    let other = NewSession::new(Lifetime::default()).with_delta(set("key", "2"));
    assert!(matches!(store.create(&id, &other).await, Err(Error::IdInUse)));
}

#[tokio::test]
async fn a_renewal_whose_answer_is_lost_is_done_once_when_repeated() {
    let proxy = Proxy::to(server().port()).await;
    let store = prepared_through(&proxy).await;
    let from = session(&store).await;
    let to = SessionToken::random_successor(&from).unwrap().id();
    let login = Renewal::login("alice", Lifetime::default()).with_delta(set("name", "\"Alice\""));
    proxy.lose_next_answer();
    assert!(matches!(
        store.renew(&from, &to, &login).await,
        Err(Error::Unknown { .. })
    ));
    assert!(proxy.has_lost());
    assert_eq!(store.renew(&from, &to, &login).await.unwrap(), Version(2));
    assert_eq!(load(&store, &to).await.unwrap().version, Version(2));
    assert!(load(&store, &from).await.is_none());
}

#[tokio::test]
async fn an_update_whose_answer_is_lost_is_unknown_and_not_done_twice() {
    let proxy = Proxy::to(server().port()).await;
    let store = prepared_through(&proxy).await;
    let id = session(&store).await;
    let opened = proxy.opened();
    proxy.lose_next_answer();
    let update = Update::new(set("key", "2")).expecting("key", Some(Value::from_json("1")));
    assert!(matches!(store.update(&id, &update).await, Err(Error::Unknown { .. })));
    assert!(proxy.has_lost());
    assert_eq!(proxy.opened(), opened, "nothing was tried again");
    assert_eq!(load(&store, &id).await.unwrap().version, Version(2));
}

#[tokio::test]
async fn while_a_server_takes_no_writes_few_connections_are_opened() {
    let server = Server::start();
    let set_read_only = |value: &str| {
        server.sql(&format!("ALTER SYSTEM SET default_transaction_read_only = {value}"));
        server.sql("SELECT pg_reload_conf()");
    };
    let proxy = Proxy::to(server.port()).await;
    let store = migrated(patient_at(&format!(
        "postgres://{USER}:{PASSWORD}@127.0.0.1:{}/postgres",
        proxy.port
    )))
    .await;
    let id = session(&store).await;
    let write = async || store.update(&id, &Update::new(set("key", "2"))).await;

    set_read_only("on");
    crate::until("the refusal", || async { write().await.is_err().then_some(()) }).await;
    let (opened, begin) = (proxy.opened(), Instant::now());
    for _ in 0..50 {
        let refused = write().await;
        assert!(matches!(refused, Err(Error::Unavailable { .. })), "{refused:?}");
        assert!(load(&store, &id).await.is_some());
    }
    let most = 1 + begin.elapsed().as_millis() / 500;
    assert!(
        ((proxy.opened() - opened) as u128) <= most,
        "{opened} {}",
        proxy.opened()
    );
    set_read_only("off");
    crate::until("a write", || async { write().await.ok() }).await;
}

#[tokio::test]
async fn a_read_whose_answer_is_lost_is_done_again() {
    let proxy = Proxy::to(server().port()).await;
    let store = prepared_through(&proxy).await;
    let id = session(&store).await;
    proxy.lose_next_answer();
    assert!(load(&store, &id).await.is_some());
    assert!(proxy.has_lost());
}

#[tokio::test]
async fn a_link_that_was_forgotten_while_idle_costs_no_write() {
    let proxy = Proxy::to(server().port()).await;
    let store = prepared_through(&proxy).await;
    let id = session(&store).await;
    proxy.forget_links();
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(11)).await;
    tokio::time::resume();
    assert_eq!(
        store.update(&id, &Update::new(set("key", "2"))).await.unwrap(),
        Version(2)
    );
    assert_eq!(proxy.opened(), 3, "one to migrate, one that was forgotten, one instead");
}

#[tokio::test]
async fn an_operation_is_one_round_trip() {
    let proxy = Proxy::to(server().port()).await;
    let store = prepared_through(&proxy).await;
    let (id, to) = (new_id(), new_id());
    let new = NewSession::new(Lifetime::default());
    let mut before = proxy.requests();
    let mut trips = || proxy.requests() - std::mem::replace(&mut before, proxy.requests());
    store.create(&id, &new).await.unwrap();
    assert_eq!(trips(), 1, "create");
    store.load(&[new_id(), id, new_id()]).await.unwrap();
    assert_eq!(trips(), 1, "load");
    store
        .update(&id, &Update::new(set("key", "2")).touching())
        .await
        .unwrap();
    assert_eq!(trips(), 1, "update");
    let conflicting = Update::new(set("key", "3")).expecting("key", None);
    assert!(matches!(
        store.update(&id, &conflicting).await,
        Err(Error::Conflict { current: Some(_) })
    ));
    assert_eq!(trips(), 1, "conflict");
    store.touch(&id).await.unwrap();
    assert_eq!(trips(), 1, "touch");
    store
        .renew(&id, &to, &Renewal::login("alice", Lifetime::default()))
        .await
        .unwrap();
    assert_eq!(trips(), 1, "renew");
    store.end(&to).await.unwrap();
    assert_eq!(trips(), 1, "end");
}

#[tokio::test]
async fn a_caller_who_goes_away_costs_neither_the_write_nor_the_connection() {
    let proxy = Proxy::to(server().port()).await;
    let store = prepared_through(&proxy).await;
    let id = session(&store).await;
    let opened = proxy.opened();
    let update = Update::new(set("key", "2"));
    let mut leaving = Box::pin(store.update(&id, &update));
    // Polled once: it is under way, and nobody asks for it again.
    assert!(poll_fn(|context| Poll::Ready(leaving.as_mut().poll(context).is_pending())).await);
    drop(leaving);
    until("the write", || async {
        (load(&store, &id).await?.version == Version(2)).then_some(())
    })
    .await;
    assert_eq!(proxy.opened(), opened);
}

#[tokio::test]
async fn damaged_data_is_a_missing_session_or_a_bad_value() {
    let store = store().await;
    let mut admin = admin(server()).await;
    let damage = async |data: &str, admin: &mut _| {
        let id = session(&store).await;
        let text = format!("UPDATE session.session SET data = '{data}' WHERE id = '{id}'");
        Executor::execute(admin, AssertSqlSafe(text)).await.unwrap();
        id
    };
    for data in ["[]", "5", "null", "\"text\""] {
        let id = damage(data, &mut admin).await;
        assert!(load(&store, &id).await.is_none(), "{data}");
        let update = store.update(&id, &Update::new(set("key", "2"))).await;
        assert!(matches!(update, Err(Error::Ended)), "{data}: {update:?}");
        assert!(matches!(store.touch(&id).await, Err(Error::Ended)), "{data}");
        assert!(
            matches!(store.renew(&id, &new_id(), &Renewal::of(None)).await, Err(Error::Ended)),
            "{data}"
        );
        // The next of the ids is found.
        let other = session(&store).await;
        let found = store.load(&[id, other]).await.unwrap();
        assert!(
            matches!(found, session_core::Loaded::Live(id, _) if id == other),
            "{data}"
        );
        store.end(&id).await.unwrap();
    }

    let id = damage(
        r#"{"number": 1e400, "null": null, "broken": "{", "good": "[1]"}"#,
        &mut admin,
    )
    .await;
    let data = load(&store, &id).await.unwrap().data;
    assert_eq!(data["good"].decode::<Vec<u8>>().unwrap(), [1]);
    assert_eq!(data["null"].decode::<Option<u8>>().unwrap(), None);
    assert!(data["broken"].decode::<serde_json::Value>().is_err());
    assert!(data["number"].decode::<u8>().is_err());
    // What was read is what an update compares with, so that `Session::update` can mend it.
    for key in ["number", "null", "broken"] {
        let update = Update::new(set(key, "1")).expecting(key, Some(data[key].clone()));
        store.update(&id, &update).await.unwrap();
    }
}

#[tokio::test]
async fn a_damaged_row_is_missing_from_its_users_list_and_spoils_nothing() {
    let (store, good) = (store().await, new_id());
    let user = format!("user of {good}");
    let mut admin = admin(server()).await;
    store
        .create(&good, &NewSession::new(Lifetime::default()).with_user(&user))
        .await
        .unwrap();
    for damage in ["created = 999999999999999999", "data = '[]'"] {
        let bad = new_id();
        store
            .create(&bad, &NewSession::new(Lifetime::default()).with_user(&user))
            .await
            .unwrap();
        let text = format!("UPDATE session.session SET {damage} WHERE id = '{bad}'");
        admin.execute(AssertSqlSafe(text)).await.unwrap();
        assert!(load(&store, &bad).await.is_none());
        let list = store.of_user(&user, &Page::default()).await.unwrap();
        assert_eq!(
            list.iter().map(|session| session.id).collect::<Vec<_>>(),
            [good],
            "{damage}"
        );
        store.end(&bad).await.unwrap();
    }
}

#[tokio::test]
async fn a_marker_tells_its_age() {
    let store = store().await;
    let mut admin = admin(server()).await;
    let old = session(&store).await;
    store.renew(&old, &new_id(), &Renewal::of(None)).await.unwrap();
    for seconds in [0, 100, 299] {
        let text = format!("UPDATE session.marker SET until = until - 1000 * {seconds} WHERE id = '{old}'");
        admin.execute(AssertSqlSafe(text)).await.unwrap();
        let Loaded::Renewed(marker) = store.load(&[old]).await.unwrap() else {
            panic!("it is not told");
        };
        assert_eq!(marker.age.as_secs() / 10, seconds / 10);
        let text = format!("UPDATE session.marker SET until = until + 1000 * {seconds} WHERE id = '{old}'");
        admin.execute(AssertSqlSafe(text)).await.unwrap();
    }
    let text = format!("UPDATE session.marker SET until = until - 300000 WHERE id = '{old}'");
    admin.execute(AssertSqlSafe(text)).await.unwrap();
    assert_eq!(store.load(&[old]).await.unwrap(), Loaded::Missing);
}

#[tokio::test]
async fn a_role_with_rights_on_the_rows_only_can_do_everything() {
    let store = store().await;
    let mut admin = admin(server()).await;
    for text in [
        "CREATE ROLE rows_only LOGIN PASSWORD 'rows'",
        "GRANT USAGE ON SCHEMA session TO rows_only",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA session TO rows_only",
    ] {
        admin.execute(text).await.unwrap();
    }
    let options = patient_at(&server().url_as("rows_only", "rows"));
    let restricted = PostgresStore::connect(options).await.unwrap();
    for result in each_operation(&restricted).await {
        assert!(matches!(result, Ok(()) | Err(Error::Ended)), "{result:?}");
    }
    let id = session(&restricted).await;
    let to = new_id();
    restricted
        .update(&id, &Update::new(set("key", "2")).touching())
        .await
        .unwrap();
    restricted.touch(&id).await.unwrap();
    restricted.renew(&id, &to, &Renewal::of(None)).await.unwrap();
    restricted.end(&id).await.unwrap();
    assert!(load(&store, &to).await.is_none());
    // There is nothing to do, so no right to do it is needed.
    restricted.migrate().await.unwrap();
}

#[tokio::test]
async fn an_operation_waits_for_a_lock_no_longer_than_its_deadline_and_was_not_done() {
    let id = session(&store().await).await;
    let limit = Duration::from_secs(10);
    let options = patient(server()).command_timeout(limit).connections(1);
    let store = PostgresStore::connect(options).await.unwrap();
    store.update(&id, &Update::new(set("key", "2"))).await.unwrap();
    let mut admin = admin(server()).await;
    admin.execute("BEGIN").await.unwrap();
    admin
        .execute(AssertSqlSafe(format!(
            "SELECT 1 FROM session.session WHERE id = '{id}' FOR UPDATE"
        )))
        .await
        .unwrap();
    let begin = Instant::now();
    let refused = store.update(&id, &Update::new(set("key", "2"))).await;
    assert!(begin.elapsed() < limit + SLACK);
    // The server's own answer: not done.
    assert!(matches!(refused, Err(Error::Unavailable { .. })), "{refused:?}");
    admin.execute("ROLLBACK").await.unwrap();
    assert_eq!(load(&store, &id).await.unwrap().version, Version(2));
}

#[tokio::test]
async fn a_statement_that_is_out_of_date_is_prepared_again() {
    let store = migrated(patient(server()).schema("out_of_date").connections(1)).await;
    let id = session(&store).await;
    assert!(load(&store, &id).await.is_some());
    let mut admin = admin(server()).await;
    admin
        .execute("ALTER TABLE out_of_date.session ALTER COLUMN user_id TYPE varchar(300)")
        .await
        .unwrap();
    assert!(load(&store, &id).await.is_some());
    let expectation = Expectation {
        key: "key".to_owned(),
        value: Some(Value::from_json("1")),
    };
    let mut update = Update::new(set("key", "2"));
    update.expectation = Some(expectation);
    store.update(&id, &update).await.unwrap();
}
