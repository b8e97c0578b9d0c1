//! What is in the server: read and written by hand, and damaged.

use std::{collections::BTreeMap, time::Duration};

use session_core::{
    Error, Fate, Lifetime, Loaded, NewSession, Page, Renewal, SessionId, SessionStore, Update, Version,
};

use crate::{
    admin, connected, key, load, new_id, new_user, patient, run, server, session, session_of, set, store, successor_of,
};

type Hash = BTreeMap<String, Vec<u8>>;

/// The name of the field that is a record's or a marker's head.
const HEAD: &str = "\0h";

/// The name of the field that says whose a session is.
const USER: &str = "\0u";

/// The head of a record, of these numbers: version, size, last seen, created, renewed, absolute end, idle timeout,
/// lock, renewal.
fn record_head(numbers: [u64; 9]) -> Vec<u8> {
    head(&[1], &numbers, b"")
}

fn head(first: &[u8], numbers: &[u64], end: &[u8]) -> Vec<u8> {
    let numbers = numbers.iter().flat_map(|number| number.to_be_bytes()[2..].to_vec());
    [first, &numbers.collect::<Vec<_>>(), end].concat()
}

/// The number at this place, counted from 1, as `scripts/record.lua` does.
fn number(head: &[u8], at: usize) -> u64 {
    head[at - 1..at + 5]
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn head_of(admin: &mut redis::Connection, id: &SessionId) -> Vec<u8> {
    run(admin, &["HGET", &key(id), HEAD])
}

fn set_head(admin: &mut redis::Connection, id: &SessionId, head: &[u8]) {
    let mut set = redis::cmd("HSET");
    let _fields: u32 = set.arg(key(id)).arg(HEAD).arg(head).query(admin).unwrap();
}

/// The server's time, in milliseconds.
fn now(admin: &mut redis::Connection) -> u64 {
    let (seconds, micros): (u64, u64) = run(admin, &["TIME"]);
    seconds * 1000 + micros / 1000
}

#[tokio::test]
async fn a_hash_written_by_hand_loads() {
    let mut admin = admin(server());
    let (id, now) = (new_id(), now(&mut admin));
    let (created, stop) = (now - 5000, now + 60_000);
    let numbers = [7, 9, created, created, created, stop, 30_000, 0, 0];
    set_head(&mut admin, &id, &record_head(numbers));
    let _fields: u32 = run(
        &mut admin,
        &[
            "HSET",
            &key(&id),
            USER,
            "älice",
            "cart",
            "[1,2]",
            "unknown \0",
            "x",
            "\0?",
            "x",
        ],
    );
    let _set: u32 = run(&mut admin, &["PEXPIRE", &key(&id), "30000"]);

    let store = store().await;
    let record = load(&store, &id).await.unwrap();
    assert_eq!(record.version, Version(7));
    assert_eq!(record.user.as_deref(), Some("älice"));
    assert_eq!(record.data["cart"].as_bytes(), b"[1,2]");
    assert_eq!(record.idle_timeout, Duration::from_secs(30));
    assert_eq!(record.absolute_end - record.created, Duration::from_secs(65));
    assert!(record.loaded_at - record.last_seen >= Duration::from_secs(5));
    assert!(record.loaded_at - record.last_seen < Duration::from_secs(60));
    store.update(&id, &Update::new(set("cart", "[]"))).await.unwrap();
    let head = head_of(&mut admin, &id);
    assert_eq!(number(&head, 2), 8);
}

#[tokio::test]
async fn a_session_is_a_hash_and_a_renewal_a_marker() {
    let (store, mut admin) = (store().await, admin(server()));
    let (id, user) = (new_id(), new_user());
    let before = now(&mut admin);
    let new = NewSession::new(Lifetime::default())
        .with_user(&user)
        .with_delta(set("n", "1"));
    store.create(&id, &new).await.unwrap();

    let hash: Hash = run(&mut admin, &["HGETALL", &key(&id)]);
    let created = number(&hash[HEAD], 20);
    assert!((before..before + 60_000).contains(&created));
    let stop = created + 43_200_000;
    let numbers = [1, 2, created, created, created, stop, 1_800_000, 0, 0];
    let expected = [
        (HEAD.to_owned(), record_head(numbers)),
        (USER.to_owned(), user.clone().into_bytes()),
        ("n".to_owned(), b"1".to_vec()),
    ];
    assert_eq!(hash, expected.into());
    let left: u64 = run(&mut admin, &["PTTL", &key(&id)]);
    assert!((1_740_000..=1_800_000).contains(&left), "{left}");

    let to = successor_of(&id);
    let renewal = Renewal::of(Some(user.clone())).with_delta(set("n", "22"));
    store.renew(&id, &to, &renewal).await.unwrap();
    let marker: Hash = run(&mut admin, &["HGETALL", &key(&id)]);
    let renewed = load(&store, &to).await.unwrap().last_seen;
    let renewed = (renewed.unix_timestamp_nanos() / 1_000_000) as u64;
    let expected = head(&[2, 0], &[renewed], to.to_string().as_bytes());
    assert_eq!(marker, [(HEAD.to_owned(), expected)].into());
    let left: u64 = run(&mut admin, &["PTTL", &key(&id)]);
    assert!((240_000..=300_000).contains(&left), "{left}");
    let hash: Hash = run(&mut admin, &["HGETALL", &key(&to)]);
    let numbers = [2, 5, renewed, created, renewed, stop, 1_800_000, 0, 0];
    let expected = [
        (HEAD.to_owned(), record_head(numbers)),
        (USER.to_owned(), user.clone().into_bytes()),
        ("n".to_owned(), b"22".to_vec()),
    ];
    assert_eq!(hash, expected.into());
    let left: u64 = run(&mut admin, &["PTTL", &key(&to)]);
    assert!((1_740_000..=1_800_000).contains(&left), "{left}");

    let third = successor_of(&to);
    store
        .renew(&to, &third, &Renewal::login("bob", Lifetime::default()))
        .await
        .unwrap();
    assert_eq!(head_of(&mut admin, &to)[..2], [2, 1]);

    // Both ids end when the session does: a renewal keeps the score.
    let index = format!("session:user:{user}");
    let scores: Vec<(String, u64)> = run(&mut admin, &["ZRANGE", &index, "0", "-1", "WITHSCORES"]);
    let stop_of = |id: &SessionId| scores.iter().find(|(member, _)| *member == id.to_string()).unwrap().1;
    assert!(stop_of(&id).abs_diff(stop) < 10_000);
    assert_eq!(stop_of(&to), stop_of(&id));
    assert_eq!(run::<i64>(&mut admin, &["PTTL", &index]), -1);
}

#[tokio::test]
async fn no_session_is_without_a_time_to_live() {
    let (store, mut admin) = (store().await, admin(server()));
    let short = Lifetime::new(Duration::from_secs(1000), Duration::from_secs(500));
    let id = new_id();
    store.create(&id, &NewSession::new(short)).await.unwrap();
    let left: u64 = run(&mut admin, &["PTTL", &key(&id)]);
    assert!((440_000..=500_000).contains(&left), "{left}");
    store.touch(&id).await.unwrap();
    let left: u64 = run(&mut admin, &["PTTL", &key(&id)]);
    assert!((440_000..=500_000).contains(&left), "{left}");
    store.update(&id, &Update::new(set("a", "1"))).await.unwrap();
    assert!(run::<i64>(&mut admin, &["PTTL", &key(&id)]) > 0);
}

#[tokio::test]
async fn prefixes_do_not_see_each_other() {
    let options = patient(server());
    let (one, two) = (
        connected(options.clone()).await,
        connected(options.key_prefix("session:user")).await,
    );
    let user = new_user();
    let (first, second) = (session_of(&one, &user).await, session_of(&two, &user).await);
    assert!(load(&two, &first).await.is_none());
    assert!(load(&one, &second).await.is_none());
    assert_eq!(one.end_all(&user, None).await.unwrap(), 1);
    assert!(load(&two, &second).await.is_some());
    // A key of the other's kind in its way does not stop a purge.
    one.purge(1000).await.unwrap();
}

#[tokio::test]
async fn a_damaged_record_is_a_missing_session() {
    let (store, mut admin) = (store().await, admin(server()));
    for words in [
        &["HSET", "@", HEAD, ""][..],
        &["HSET", "@", HEAD, "\x01"],
        &["HSET", "@", HEAD, "\x02"],
        &[
            "HSET",
            "@",
            HEAD,
            "\x01 that ends before it has said all that it is to say",
        ],
        &[
            "HSET",
            "@",
            HEAD,
            "\x03 long enough, but of a format that nobody knows yet......",
        ],
        &["HSET", "@", HEAD, "\x02\x01 no successor"],
        &["HDEL", "@", HEAD],
        &["SET", "@", "text"],
        &[
            "EVAL",
            "redis.call('DEL', KEYS[1]) return redis.call('RPUSH', KEYS[1], 'a', 'b')",
            "1",
            "@",
        ],
    ] {
        let user = new_user();
        let id = new_id();
        let new = NewSession::new(Lifetime::default())
            .with_user(&user)
            .with_delta(set("a", "1"));
        store.create(&id, &new).await.unwrap();
        let whole = session_of(&store, &user).await;
        let words: Vec<_> = words.iter().map(|word| word.replace("@", &key(&id))).collect();
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let _done: redis::Value = run(&mut admin, &words);

        assert_eq!(store.load(&[id]).await.unwrap(), Loaded::Missing, "{words:?}");
        assert!(matches!(store.load(&[id, whole]).await.unwrap(), Loaded::Live(found, _) if found == whole));
        for answer in [
            store.update(&id, &Update::new(set("a", "2"))).await.map(drop),
            store.touch(&id).await,
            store
                .renew(&id, &successor_of(&id), &Renewal::of(Some(user.clone())))
                .await
                .map(drop),
        ] {
            assert!(matches!(answer, Err(Error::Ended)), "{words:?}: {answer:?}");
        }
        assert!(
            matches!(store.create(&id, &new).await, Err(Error::IdInUse)),
            "{words:?}"
        );
        store.end(&id).await.unwrap();
        let listed = store.of_user(&user, &Page::default()).await.unwrap();
        assert_eq!(
            listed.iter().map(|session| session.id).collect::<Vec<_>>(),
            [whole],
            "{words:?}"
        );
        assert_eq!(store.end_all(&user, None).await.unwrap(), 1, "{words:?}");
    }
}

#[tokio::test]
async fn a_damaged_value_is_an_error_for_its_key_alone() {
    let (store, mut admin) = (store().await, admin(server()));
    let id = session(&store).await;
    let mut damage = redis::cmd("HSET");
    damage
        .arg(key(&id))
        .arg("json")
        .arg("{")
        .arg("text")
        .arg(b"\xff\xfe")
        .arg(b"\xff")
        .arg("1");
    let _added: u32 = damage.query(&mut admin).unwrap();
    let record = load(&store, &id).await.unwrap();
    assert_eq!(record.data["key"].decode::<u32>().unwrap(), 1);
    assert_eq!(record.data["json"].as_bytes(), b"{");
    assert_eq!(record.data["text"].as_bytes(), b"\xff\xfe");
    assert_eq!(record.data.len(), 3);
    let conflict = store
        .update(&id, &Update::new(set("text", "1")).expecting("text", None))
        .await;
    assert!(matches!(conflict, Err(Error::Conflict { current: Some(value) }) if value.as_bytes() == b"\xff\xfe"));
}

#[tokio::test]
async fn a_session_whose_time_to_live_is_lost_ends_at_its_absolute_end() {
    let (store, mut admin) = (store().await, admin(server()));
    let id = session(&store).await;
    let _set: u32 = run(&mut admin, &["PERSIST", &key(&id)]);
    store.update(&id, &Update::new(set("a", "1"))).await.unwrap();
    assert!(matches!(store.fates(&[id]).await.unwrap()[..], [Fate::Live(left)] if left > Duration::from_secs(40_000)));
    let mut head = head_of(&mut admin, &id);
    head[31..37].copy_from_slice(&1000u64.to_be_bytes()[2..]);
    set_head(&mut admin, &id, &head);
    assert_eq!(store.fates(&[id]).await.unwrap(), [Fate::Ended]);
    assert!(matches!(store.touch(&id).await, Err(Error::Ended)));
    let renewal = Renewal::of(None);
    let renewed = store.renew(&id, &successor_of(&id), &renewal).await;
    assert!(matches!(renewed, Err(Error::Ended)));
    assert!(matches!(
        store.update(&id, &Update::new(set("a", "2"))).await,
        Err(Error::Ended)
    ));
    assert!(load(&store, &id).await.is_none());
}

/// What is kept of the size is no less than that, and looked at again before anything is refused.
#[tokio::test]
async fn a_size_is_exact_where_it_matters() {
    let (store, mut admin) = (store().await, admin(server()));
    let id = session(&store).await;
    let update = |value: &str| {
        let mut update = Update::new(set("a", value));
        update.max_size = 40;
        update
    };
    let size = async |admin: &mut redis::Connection| number(&head_of(admin, &id), 8);
    // "key" and "1", "a" and 31 characters.
    let value = format!("\"{}\"", "x".repeat(29));
    for _ in 0..3 {
        store.update(&id, &update(&value)).await.unwrap();
        assert_eq!(size(&mut admin).await, 36);
    }
    store.update(&id, &update("1")).await.unwrap();
    assert!((6..=38).contains(&size(&mut admin).await));
    let mut delta = set("b", &value);
    delta.remove("key");
    let mut update = Update::new(delta);
    update.max_size = 34;
    store.update(&id, &update).await.unwrap();
    assert_eq!(size(&mut admin).await, 34);
    update.max_size = 33;
    let refused = store.update(&id, &update).await;
    assert!(
        matches!(refused, Err(Error::TooLarge { size: 34, limit: 33 })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_login_as_somebody_else_takes_no_id_in_use_and_leaves_a_marker_alone() {
    let (store, mut admin) = (store().await, admin(server()));
    let id = session_of(&store, &new_user()).await;
    store.update(&id, &Update::new(set("a", "1"))).await.unwrap();
    let (taken, other) = (successor_of(&id), new_user());
    let new = NewSession::new(Lifetime::default()).with_user(&other);
    store.create(&taken, &new).await.unwrap();
    let login = Renewal::login(new_user(), Lifetime::default());
    let refused = store.renew(&id, &taken, &login).await;
    assert!(matches!(refused, Err(Error::IdInUse)), "{refused:?}");
    assert_eq!(load(&store, &taken).await.unwrap().user, Some(other));
    store.renew(&id, &successor_of(&id), &login).await.unwrap();
    let fields: Vec<String> = run(&mut admin, &["HKEYS", &key(&id)]);
    assert_eq!(fields, [HEAD]);
}

/// So instances of this version and of a later one can run at the same time, as in a rolling deploy.
#[tokio::test]
async fn what_a_later_version_adds_to_a_record_is_passed_over_and_kept() {
    let (store, mut admin) = (store().await, admin(server()));
    let user = new_user();
    let id = session_of(&store, &user).await;
    let longer = [head_of(&mut admin, &id), b"later".to_vec()].concat();
    set_head(&mut admin, &id, &longer);
    let _fields: u32 = run(&mut admin, &["HSET", &key(&id), "\0later", "later"]);

    store.update(&id, &Update::new(set("a", "1")).touching()).await.unwrap();
    store.touch(&id).await.unwrap();
    let to = successor_of(&id);
    store.renew(&id, &to, &Renewal::of(Some(user.clone()))).await.unwrap();
    let record = load(&store, &to).await.unwrap();
    assert_eq!(record.data.keys().collect::<Vec<_>>(), ["a"]);
    assert_eq!(record.user.as_ref(), Some(&user));
    assert!(matches!(store.fates(&[to]).await.unwrap()[..], [Fate::Live(_)]));
    assert!(head_of(&mut admin, &to).ends_with(b"later"));
    assert_eq!(run::<String>(&mut admin, &["HGET", &key(&to), "\0later"]), "later");

    assert_eq!(store.of_user(&user, &Page::default()).await.unwrap()[0].id, to);
    assert_eq!(store.end_all(&user, None).await.unwrap(), 1);
    assert!(load(&store, &to).await.is_none());
}
