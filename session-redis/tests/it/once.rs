//! Work that is done once: what is in the keys, and what a server that goes away does to it.

use std::{
    collections::BTreeMap,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use session_core::{Claim, Claimed, OnceStore, SessionStore, run_once};

use crate::{admin, connected, new_user, patient, run, server, server::Server, session_of, store};

const LEASE: Duration = Duration::from_secs(60);

fn new_work() -> String {
    new_user().replace("user", "work")
}

#[tokio::test]
async fn work_is_a_hash_that_stays() {
    let (store, mut admin) = (store().await, admin(server()));
    let work = new_work();
    let claim = Claim::new(&*work).unwrap();
    store.claim(&claim, LEASE).await.unwrap();

    let key = format!("session:work:{work}");
    let mut hash: BTreeMap<String, String> = run(&mut admin, &["HGETALL", &key]);
    let until: i128 = hash.remove("until").unwrap().parse().unwrap();
    let now = time::OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000;
    assert!(
        (40_000..=60_000).contains(&(until - now)),
        "{until} is not a minute after {now}"
    );
    assert_eq!(hash, [("claim".to_owned(), format!("{:032x}", claim.id()))].into());
    assert_eq!(run::<i64>(&mut admin, &["PTTL", &key]), -1);

    assert!(store.finish(&claim).await.unwrap());
    let done: i128 = run(&mut admin, &["HGET", &key, "done"]);
    assert!((done - now).abs() < 20_000, "{done} is not just after {now}");
    assert_eq!(run::<i64>(&mut admin, &["PTTL", &key]), -1);
}

#[tokio::test]
async fn a_hash_written_by_hand_is_done_work() {
    let (store, mut admin) = (store().await, admin(server()));
    let _fields: u32 = run(&mut admin, &["HSET", "session:work:by%20hand%3A%201", "done", "1"]);
    assert!(
        !run_once(&store, "by hand: 1", || async { panic!("it is done") })
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn a_key_of_another_kind_is_an_error() {
    let (store, mut admin) = (store().await, admin(server()));
    let work = new_work();
    let _done: String = run(&mut admin, &["SET", &format!("session:work:{work}"), "text"]);
    let claim = Claim::new(work).unwrap();
    assert!(store.claim(&claim, LEASE).await.is_err());
    assert!(store.finish(&claim).await.is_err());
}

#[tokio::test]
async fn a_purge_and_the_lists_of_users_leave_work_alone() {
    let server = Server::start();
    let (store, mut admin) = (connected(patient(&server)).await, admin(&server));
    let work = Claim::new("alice").unwrap();
    assert_eq!(store.claim(&work, LEASE).await.unwrap(), Claimed::Mine);
    for user in ["alice", "work", "work:alice"] {
        session_of(&store, user).await;
        // What is past is purged from each list.
        let _added: u32 = run(
            &mut admin,
            &["ZADD", &format!("session:user:{}", user.replace(':', "%3A")), "1", "x"],
        );
    }
    assert_eq!(store.purge(100).await.unwrap(), 3);
    for user in ["alice", "work", "work:alice"] {
        assert_eq!(store.end_all(user, None).await.unwrap(), 1);
    }
    assert!(store.finish(&work).await.unwrap());
    store.purge(100).await.unwrap();
    assert_eq!(
        store.claim(&Claim::new("alice").unwrap(), LEASE).await.unwrap(),
        Claimed::Done
    );
}

#[tokio::test]
async fn prefixes_have_work_of_their_own() {
    let options = patient(server());
    let work = new_work();
    for prefix in ["session", "session:work", "session:user"] {
        let store = connected(options.clone().key_prefix(prefix)).await;
        assert!(run_once(&store, &work, || async { Ok(()) }).await.unwrap(), "{prefix}");
    }
}

#[tokio::test]
async fn a_durable_server_remembers_what_is_done() {
    let mut server = Server::start_durable();
    let store = connected(patient(&server)).await;
    assert!(run_once(&store, "work", || async { Ok(()) }).await.unwrap());
    server.kill();
    server.restart();
    for store in [store, connected(patient(&server)).await] {
        assert!(
            !run_once(&store, "work", || async { panic!("it is done") })
                .await
                .unwrap()
        );
    }
}

#[tokio::test]
async fn work_goes_on_while_its_server_is_away() {
    let mut server = Server::start_durable();
    let store = connected(patient(&server)).await;
    let begun = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    let restart = tokio::task::spawn_blocking(move || {
        receiver.recv().unwrap();
        server.kill();
        // A heartbeat comes every three seconds.
        thread::sleep(Duration::from_secs(4));
        server.restart();
        server
    });
    let here = run_once(&store, "work", || async {
        begun.fetch_add(1, Ordering::SeqCst);
        sender.send(())?;
        tokio::time::sleep(Duration::from_secs(5)).await;
        Ok(())
    });
    assert!(here.await.unwrap());
    assert_eq!(begun.into_inner(), 1);
    drop(restart.await.unwrap());
}
