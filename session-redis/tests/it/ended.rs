//! Who waits for the end of a session hears of it on one subscription an instance, and without one by looking.

use std::{sync::Arc, time::Duration};

use session_core::{Fate, Lifetime, Renewal, SessionId, SessionStore, until_ended};
use session_redis::RedisStore;
use tokio::{
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};

use crate::{
    admin, connected, key, load, new_user, patient, patient_at, run, server::Server, session, session_of, successor_of,
    until,
};

/// Long before anybody would look just to be safe.
const SOON: Duration = Duration::from_secs(10);

fn wait(store: &RedisStore, id: &SessionId) -> JoinHandle<()> {
    tokio::spawn(until_ended(Arc::new(store.clone()), *id))
}

async fn wakes(waiting: JoinHandle<()>) {
    let woken = timeout(SOON, waiting).await;
    woken.expect("nobody is woken").unwrap();
}

fn subscriptions(admin: &mut redis::Connection, prefix: &str) -> u64 {
    let (_, count): (String, u64) = run(admin, &["PUBSUB", "NUMSUB", &format!("{prefix}:changes")]);
    count
}

async fn until_subscribed(admin: &mut redis::Connection, prefix: &str, count: u64) {
    until("the subscription", || {
        let found = subscriptions(admin, prefix);
        async move { (found == count).then_some(()) }
    })
    .await;
}

#[tokio::test]
async fn one_subscription_serves_all_who_wait_and_ends_with_the_store() {
    let server = Server::start();
    let mut admin = admin(&server);
    let (one, other) = (connected(patient(&server)).await, connected(patient(&server)).await);
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(session(&one).await);
    }
    assert_eq!(subscriptions(&mut admin, "session"), 0, "nobody waits yet");
    let mut waiting = JoinSet::new();
    for id in ids.iter().cycle().take(200) {
        let store = one.clone();
        waiting.spawn(until_ended(Arc::new(store), *id));
    }
    until_subscribed(&mut admin, "session", 1).await;
    let there = wait(&other, &ids[0]);
    until_subscribed(&mut admin, "session", 2).await;
    let clients: String = run(&mut admin, &["CLIENT", "LIST"]);
    assert_eq!(clients.lines().count(), 5, "two an instance, and this one:\n{clients}");
    for id in &ids {
        other.end(id).await.unwrap();
    }
    wakes(there).await;
    wakes(tokio::spawn(async move {
        while let Some(woken) = waiting.join_next().await {
            woken.unwrap();
        }
    }))
    .await;
    drop((one, other));
    until_subscribed(&mut admin, "session", 0).await;
    until("the end of the connections", || {
        let clients: String = run(&mut admin, &["CLIENT", "LIST"]);
        async move { (clients.lines().count() == 1).then_some(()) }
    })
    .await;
}

#[tokio::test]
async fn an_end_is_seen_whatever_becomes_of_the_subscription() {
    let server = Server::start();
    let mut admin = admin(&server);
    let (here, there) = (connected(patient(&server)).await, connected(patient(&server)).await);
    for round in 0..10 {
        let id = session(&here).await;
        let waiting = wait(&here, &id);
        until_subscribed(&mut admin, "session", 1).await;
        let killed: u64 = run(&mut admin, &["CLIENT", "KILL", "TYPE", "pubsub"]);
        assert_eq!(killed, 1);
        // While it connects again, or a little later.
        sleep(Duration::from_millis(4 * round)).await;
        there.end(&id).await.unwrap();
        wakes(waiting).await;
    }
}

#[tokio::test]
async fn who_cannot_be_told_looks_and_is_told_again_when_the_link_is_back() {
    let server = Server::start();
    let mut admin = admin(&server);
    let (here, there) = (connected(patient(&server)).await, connected(patient(&server)).await);
    let (id, later) = (session(&here).await, session(&here).await);
    let (waiting, still_waiting) = (wait(&here, &id), wait(&here, &later));
    until_subscribed(&mut admin, "session", 1).await;
    // No more than there are without it.
    let _done: String = run(&mut admin, &["CONFIG", "SET", "maxclients", "3"]);
    let _killed: u64 = run(&mut admin, &["CLIENT", "KILL", "TYPE", "pubsub"]);
    let renewed = successor_of(&later);
    there.renew(&later, &renewed, &Renewal::of(None)).await.unwrap();
    there.end(&id).await.unwrap();
    wakes(waiting).await;
    assert_eq!(subscriptions(&mut admin, "session"), 0);
    let _done: String = run(&mut admin, &["CONFIG", "SET", "maxclients", "100"]);
    until_subscribed(&mut admin, "session", 1).await;
    assert!(!still_waiting.is_finished(), "its session goes on under a new id");
    there.end(&renewed).await.unwrap();
    wakes(still_waiting).await;
}

#[tokio::test]
async fn a_server_that_is_away_ends_nothing_and_is_listened_to_when_it_is_back() {
    let mut server = Server::start_durable();
    let here = connected(patient(&server).connect_timeout(Duration::from_millis(400))).await;
    let id = session(&here).await;
    let waiting = wait(&here, &id);
    until_subscribed(&mut admin(&server), "session", 1).await;
    server.kill();
    // Long enough for some looks.
    sleep(Duration::from_secs(3)).await;
    assert!(here.fates(&[id]).await.is_err());
    assert!(!waiting.is_finished(), "an outage is no end");
    server.restart();
    let mut admin = admin(&server);
    until_subscribed(&mut admin, "session", 1).await;
    until("an answer", || async { here.ping().await.ok() }).await;
    assert!(load(&here, &id).await.is_some());
    assert!(!waiting.is_finished());
    connected(patient(&server)).await.end(&id).await.unwrap();
    wakes(waiting).await;
}

#[tokio::test]
async fn a_server_that_comes_back_empty_has_ended_all() {
    let mut server = Server::start();
    let here = connected(patient(&server)).await;
    let id = session(&here).await;
    let waiting = wait(&here, &id);
    until_subscribed(&mut admin(&server), "session", 1).await;
    server.kill();
    server.restart();
    wakes(waiting).await;
}

/// A user of the server's with the rights that the documentation names.
fn documented_user(admin: &mut redis::Connection, name: &str, more: &[&str]) {
    let docs = include_str!("../../src/lib.rs").replace("//!", "");
    let rights = docs.split('`').find(|text| text.starts_with("+evalsha")).unwrap();
    let keys = format!("~{name}:*");
    let mut words = vec!["ACL", "SETUSER", name, "on", ">limited", &keys, "resetchannels"];
    words.extend(rights.split_whitespace());
    words.extend(more);
    let _done: String = run(admin, &words);
}

/// Waits for two ends, and causes them.
async fn ends_are_seen(here: &RedisStore, there: &RedisStore) {
    let user = new_user();
    let (guest, login) = (session(here).await, session_of(here, &user).await);
    let waiting = [wait(here, &guest), wait(here, &login)];
    let new = successor_of(&guest);
    let renewal = Renewal::login(&user, Lifetime::default());
    there.renew(&guest, &new, &renewal).await.unwrap();
    there.end(&login).await.unwrap();
    for waiting in waiting {
        wakes(waiting).await;
    }
    assert_eq!(there.end_all(&user, None).await.unwrap(), 1);
    assert_eq!(here.fates(&[guest, login, new]).await.unwrap(), [Fate::Ended; 3]);
}

#[tokio::test]
async fn a_user_without_channels_ends_sessions_and_sees_ends_by_looking() {
    let server = Server::start();
    let mut admin = admin(&server);
    documented_user(&mut admin, "deaf", &[]);
    let options = || patient_at(&server.url_as("deaf", "limited")).key_prefix("deaf");
    let (here, there) = (connected(options()).await, connected(options()).await);
    ends_are_seen(&here, &there).await;
    assert_eq!(subscriptions(&mut admin, "deaf"), 0);
}

#[tokio::test]
async fn a_user_with_the_documented_rights_is_told() {
    let docs = include_str!("../../src/lib.rs");
    let [commands, channel] = ["+publish +subscribe", "&session:changes"];
    assert!(docs.contains(&format!("`{commands}` on the channel `{channel}`")));
    let server = Server::start();
    let mut admin = admin(&server);
    let channel = channel.replace("session", "told");
    let more: Vec<_> = commands.split(' ').chain([&*channel]).collect();
    documented_user(&mut admin, "told", &more);
    let options = || patient_at(&server.url_as("told", "limited")).key_prefix("told");
    let (here, there) = (connected(options()).await, connected(options()).await);
    let id = session(&here).await;
    let waiting = wait(&here, &id);
    until_subscribed(&mut admin, "told", 1).await;
    ends_are_seen(&here, &there).await;
    there.end(&id).await.unwrap();
    wakes(waiting).await;
    let denied: Vec<redis::Value> = run(&mut admin, &["ACL", "LOG"]);
    // `ROLE` and `INFO` are asked at the start, and may be denied.
    let denied = format!("{denied:?}");
    assert!(!denied.contains("publish") && !denied.contains("subscribe"), "{denied}");
}

#[tokio::test]
async fn what_is_told_are_ids_and_what_makes_no_sense_is_ignored() {
    let server = Server::start();
    let mut admin = admin(&server);
    let here = connected(patient(&server)).await;
    let (id, other) = (session(&here).await, session(&here).await);
    let waiting = wait(&here, &other);
    until_subscribed(&mut admin, "session", 1).await;
    let mut listener = redis::Client::open(server.url()).unwrap().get_connection().unwrap();
    let mut told = listener.as_pubsub();
    told.subscribe("session:changes").unwrap();
    let new = successor_of(&id);
    here.renew(&id, &new, &Renewal::of(None)).await.unwrap();
    here.end(&id).await.unwrap();
    let mut next = || told.get_message().unwrap().get_payload::<String>().unwrap();
    assert_eq!([next(), next()], [format!("{id}>{new}"), new.to_string()]);
    for nonsense in ["", ">", "x", &key(&other), &format!("{other}>"), &format!(">{other}")] {
        let _heard: u64 = run(&mut admin, &["PUBLISH", "session:changes", nonsense]);
    }
    assert!(!waiting.is_finished());
    // And it still listens.
    let _heard: u64 = run(&mut admin, &["PUBLISH", "session:changes", &other.to_string()]);
    wakes(waiting).await;
}
