//! A Redis Cluster of three primaries with a replica each.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use session_core::{
    Error, Fate, Lifetime, Loaded, NewSession, Renewal, SessionId, SessionStore, Update, conformance::ByTurns,
    until_ended,
};
use session_redis::{RedisOptions, RedisStore};
use tokio::{task::JoinSet, time::timeout};

use crate::{
    chain, connected, ids_of, key, load, new_id, new_user,
    nodes::Cluster,
    patient_at, rights,
    server::{PASSWORD, Server},
    session, session_of, set, successor_of,
    tls::Authority,
    until,
};

const CONNECT: Duration = Duration::from_secs(2);
const COMMAND: Duration = Duration::from_secs(1);

/// What a busy machine may add.
const SLACK: Duration = Duration::from_secs(10);

/// The cluster of all tests that leave its nodes running.
fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| Cluster::start("15000"))
}

async fn store() -> RedisStore {
    connected(patient_at(&cluster().url())).await
}

/// A store that was told of one node only, as of a server.
async fn discovering() -> RedisStore {
    connected(patient_at(&cluster().nodes[0].url())).await
}

mod conformance {
    use super::*;

    session_core::conformance_tests!(ByTurns::new([store().await, discovering().await]));

    session_core::once_tests!((store().await, discovering().await));
}

/// A session at each primary.
async fn one_each(store: &RedisStore) -> Vec<SessionId> {
    one_each_under("session", store).await
}

async fn one_each_under(prefix: &str, store: &RedisStore) -> Vec<SessionId> {
    let mut found: Vec<(usize, SessionId)> = Vec::new();
    while found.len() < 3 {
        let id = new_id();
        let owner = cluster().owner(&key(&id).replacen("session", prefix, 1));
        if found.iter().all(|(other, _)| *other != owner) {
            let new = NewSession::new(Lifetime::default()).with_delta(set("key", "1"));
            store.create(&id, &new).await.unwrap();
            found.push((owner, id));
        }
    }
    found.into_iter().map(|(_, id)| id).collect()
}

#[tokio::test]
async fn the_first_live_one_is_found_wherever_it_is() {
    let store = store().await;
    let ids = one_each(&store).await;
    for first in 0..3 {
        let asked = [new_id(), ids[first], ids[(first + 1) % 3], ids[(first + 2) % 3]];
        match store.load(&asked).await.unwrap() {
            Loaded::Live(found, record) => {
                assert_eq!(found, ids[first]);
                assert!(record.created <= record.loaded_at, "{record:?}");
            }
            other => panic!("{other:?}"),
        }
    }
    let fates = store.fates(&[ids[0], new_id(), ids[1], ids[2]]).await.unwrap();
    assert!(matches!(
        fates[..],
        [Fate::Live(_), Fate::Ended, Fate::Live(_), Fate::Live(_)]
    ));
}

#[tokio::test]
async fn everyone_is_ended_at_every_node() {
    let options = patient_at(&cluster().url()).key_prefix("everyone");
    let store = connected(options).await;
    let user = new_user();
    for _ in 0..50 {
        session_of(&store, &user).await;
    }
    assert_eq!(store.end_everyone().await.unwrap(), 50);
    assert!(ids_of(&store, &user).await.is_empty());
}

#[tokio::test]
async fn lists_at_every_node_are_purged() {
    let store = connected(patient_at(&cluster().url()).key_prefix("purge")).await;
    for _ in 0..30 {
        let past = (redis_time() - 100_000).to_string();
        let list = format!("purge:user:{}", new_user());
        let node = &cluster().nodes[cluster().owner(&list)];
        cluster().ask(node, &["ZADD", &list, &past, &new_id().to_string()]);
    }
    let mut purged = 0;
    while purged < 30 {
        purged += store.purge(7).await.unwrap();
    }
    assert_eq!(purged, 30);
}

fn redis_time() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap().as_millis().try_into().unwrap()
}

#[tokio::test]
async fn what_ends_at_one_node_is_told_at_all() {
    let options = |url: &str| patient_at(url).key_prefix("told");
    let one = connected(options(&cluster().url())).await;
    let other = connected(options(&cluster().nodes[0].url())).await;
    for id in one_each_under("told", &one).await {
        let waiting = tokio::spawn(until_ended(Arc::new(other.clone()), id));
        until("the subscription", || async {
            let told = |node| {
                cluster()
                    .ask(node, &["PUBSUB", "NUMSUB", "told:changes"])
                    .trim()
                    .ends_with('1')
            };
            cluster().nodes.iter().any(told).then_some(())
        })
        .await;
        one.end(&id).await.unwrap();
        // Long before anybody would look just to be safe.
        timeout(Duration::from_secs(10), waiting).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn each_node_is_taught_what_it_forgot() {
    let (store, user) = (store().await, new_user());
    for node in &cluster().nodes {
        cluster().ask(node, &["SCRIPT", "FLUSH"]);
    }
    let ids = one_each(&store).await;
    for node in &cluster().nodes {
        cluster().ask(node, &["SCRIPT", "FLUSH"]);
    }
    for id in ids {
        store.update(&id, &Update::new(set("key", "2"))).await.unwrap();
    }
    let id = session_of(&store, &user).await;
    assert_eq!(ids_of(&store, &user).await, [id]);
}

/// A slot on its way from one node to another, by hand.
struct Move {
    slot: String,
    from: usize,
    to: usize,
}

impl Move {
    /// Begins: what is there stays, what is not is asked for at the other node.
    fn begin(key: &str) -> Self {
        let slot = cluster().slot(key);
        let from = cluster().owner(key);
        let to = (0..6).find(|node| *node != from && is_primary(*node)).unwrap();
        let this = Self { slot, from, to };
        this.say(to, &["IMPORTING", &cluster().name(from)]);
        this.say(from, &["MIGRATING", &cluster().name(to)]);
        this
    }

    fn say(&self, node: usize, words: &[&str]) {
        let words = [&["CLUSTER", "SETSLOT", &self.slot], words].concat();
        let said = cluster().ask(&cluster().nodes[node], &words);
        assert_eq!(said.trim(), "OK", "{words:?}");
    }

    fn take(&self, key: &str) {
        let port = cluster().nodes[self.to].port().to_string();
        let from = &cluster().nodes[self.from];
        let words = ["MIGRATE", "127.0.0.1", &port, key, "0", "5000", "AUTH", PASSWORD];
        assert_eq!(cluster().ask(from, &words).trim(), "OK");
    }

    fn finish(&self) {
        let name = cluster().name(self.to);
        for node in [self.to, self.from] {
            self.say(node, &["NODE", &name]);
        }
    }
}

fn is_primary(node: usize) -> bool {
    cluster().ask(&cluster().nodes[node], &["ROLE"]).starts_with("master")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p2_every_update_of_a_session_that_moves_is_counted() {
    let (one, other) = (store().await, discovering().await);
    let id = session(&one).await;
    let mut adding = JoinSet::new();
    for adder in 0..4 {
        let store = if adder % 2 == 0 { one.clone() } else { other.clone() };
        adding.spawn(async move {
            for _ in 0..250 {
                add_one(&store, &id).await;
            }
        });
    }
    let moving = tokio::task::spawn_blocking(move || {
        for _ in 0..3 {
            let slot = Move::begin(&key(&id));
            slot.take(&key(&id));
            slot.finish();
        }
    });
    moving.await.unwrap();
    while let Some(added) = adding.join_next().await {
        added.unwrap();
    }
    assert_eq!(load(&one, &id).await.unwrap().data["key"].as_bytes(), b"1001");
}

/// Adds one to a number, as `Session::update` does.
async fn add_one(store: &RedisStore, id: &SessionId) {
    let mut seen = load(store, id).await.unwrap().data["key"].clone();
    loop {
        let number: u64 = std::str::from_utf8(seen.as_bytes()).unwrap().parse().unwrap();
        let update = Update::new(set("key", &(number + 1).to_string())).expecting("key", Some(seen));
        match store.update(id, &update).await {
            Ok(_) => return,
            Err(Error::Conflict { current }) => seen = current.unwrap(),
            Err(error) => panic!("{}", chain(&error)),
        }
    }
}

#[tokio::test]
async fn a_session_is_the_same_at_each_stage_of_its_move() {
    let (one, other) = (store().await, discovering().await);
    let (id, also_there) = (session(&one).await, new_id());
    let slot = Move::begin(&key(&id));
    // It is at the old node still, and what is new there is made at the new one.
    let here = successor_of(&id);
    one.create(&here, &NewSession::new(Lifetime::default())).await.unwrap();
    one.update(&id, &Update::new(set("key", "2"))).await.unwrap();
    assert!(load(&other, &here).await.is_some() && load(&other, &also_there).await.is_none());
    slot.take(&key(&id));
    // At the new node, which has not the slot yet.
    other.update(&id, &Update::new(set("key", "3"))).await.unwrap();
    assert_eq!(load(&one, &id).await.unwrap().data["key"].as_bytes(), b"3");
    slot.finish();
    for store in [&one, &other] {
        assert_eq!(load(store, &id).await.unwrap().data["key"].as_bytes(), b"3");
        store.touch(&here).await.unwrap();
    }
}

#[tokio::test]
async fn a_renewal_waits_for_the_end_of_a_move_or_is_refused() {
    let id = session(&store().await).await;
    let slot = Move::begin(&key(&id));
    let hasty = patient_at(&cluster().url())
        .command_timeout(COMMAND)
        .connect_timeout(COMMAND);
    let hasty = RedisStore::new(hasty).unwrap();
    let to = successor_of(&id);
    until("the refusal", || async {
        let refused = hasty.renew(&id, &to, &Renewal::of(None)).await.unwrap_err();
        let is_known = matches!(refused, Error::Unavailable { .. }) && chain(&refused).contains("TryAgain");
        is_known.then_some(())
    })
    .await;
    let store = store().await;
    let renewal = tokio::spawn({
        let store = store.clone();
        async move { store.renew(&id, &to, &Renewal::of(None)).await }
    });
    slot.take(&key(&id));
    slot.finish();
    renewal.await.unwrap().unwrap();
    assert!(load(&store, &to).await.is_some() && load(&store, &id).await.is_none());
}

/// The marker and what it leads to are at two nodes for a moment.
#[tokio::test]
async fn p3_a_renewed_session_is_ended_by_its_old_id_while_its_slot_moves() {
    let store = store().await;
    for marker_goes_first in [true, false] {
        let id = session(&store).await;
        let to = successor_of(&id);
        store.renew(&id, &to, &Renewal::of(None)).await.unwrap();
        let slot = Move::begin(&key(&id));
        slot.take(&key(if marker_goes_first { &id } else { &to }));
        store.end(&id).await.unwrap();
        assert!(load(&store, &to).await.is_none(), "{marker_goes_first}");
        for id in [&id, &to] {
            let words = [
                "MIGRATE",
                "127.0.0.1",
                &cluster().nodes[slot.to].port().to_string(),
                &key(id),
                "0",
                "5000",
            ];
            let words = [&words[..], &["AUTH", PASSWORD]].concat();
            cluster().ask(&cluster().nodes[slot.from], &words);
        }
        slot.finish();
        assert!(load(&store, &to).await.is_none());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p8_a_node_that_dies_is_replaced_without_a_restart() {
    let mut cluster = tokio::task::spawn_blocking(|| Cluster::start("1500")).await.unwrap();
    let options = RedisOptions::from_url(&cluster.url()).unwrap();
    let options = options.connect_timeout(CONNECT).command_timeout(COMMAND);
    let store = connected(options).await;
    // What a failover may forget is not what this is about.
    let careful = connected(patient_at(&cluster.url()).wait_for_replicas(1, SLACK)).await;
    let mut ids = Vec::new();
    for _ in 0..30 {
        ids.push(session_of(&careful, "somebody").await);
    }
    let dead = cluster.owner(&key(&ids[0]));
    cluster.nodes[dead].kill();
    until_it_is_written(&store, &ids[0]).await;
    for id in &ids {
        assert!(lives(&store, id).await);
    }

    // Another one is frozen.
    let frozen = ids.iter().map(|id| (id, cluster.owner(&key(id)))).find(|(_, owner)| {
        let nodes = cluster.ask(&cluster.nodes[*owner], &["INFO", "replication"]);
        nodes.contains("connected_slaves:1")
    });
    let (id, frozen) = frozen.unwrap();
    cluster.nodes[frozen].freeze();
    until_it_is_written(&store, id).await;
    for id in &ids {
        assert!(lives(&store, id).await);
    }
    crate::until("the end of all", || async { store.end_everyone().await.ok() }).await;
    assert!(!lives(&store, &ids[0]).await);
}

/// Nodes on a busy machine may take each other for dead once more.
async fn lives(store: &RedisStore, id: &SessionId) -> bool {
    let ids = [*id];
    let loaded = crate::until("an answer", || async { store.load(&ids).await.ok() }).await;
    matches!(loaded, Loaded::Live(..))
}

async fn until_it_is_written(store: &RedisStore, id: &SessionId) {
    let began = Instant::now();
    loop {
        let asked = Instant::now();
        let written = store.update(id, &Update::new(set("key", "2"))).await;
        assert!(asked.elapsed() < CONNECT + COMMAND + SLACK, "{:?}", asked.elapsed());
        match written {
            Ok(_) => return,
            Err(Error::Unavailable { .. } | Error::Unknown { .. }) => {}
            Err(error) => panic!("{}", chain(&error)),
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{written:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_near_cache_is_refused() {
    let with_cache = |url: &str| patient_at(url).near_cache(1 << 20);
    let told = RedisStore::new(with_cache(&cluster().url())).unwrap_err();
    let found = RedisStore::connect(with_cache(&cluster().nodes[0].url()))
        .await
        .unwrap_err();
    for error in [told, found] {
        assert!(
            error.is_lasting() && chain(&error).contains("near cache"),
            "{}",
            chain(&error)
        );
    }
}

#[tokio::test]
async fn a_user_with_the_documented_rights_can_do_everything() {
    let (usual, more) = (rights("+evalsha"), rights("+cluster|slots"));
    for node in &cluster().nodes {
        let words = [
            "ACL",
            "SETUSER",
            "limited",
            "on",
            ">limited",
            "~limited:*",
            "resetchannels",
        ];
        let all = words.into_iter().chain(usual.iter().chain(&more).map(String::as_str));
        assert_eq!(cluster().ask(node, &all.collect::<Vec<_>>()).trim(), "OK");
    }
    let store = connected(
        patient_at(
            &cluster()
                .url()
                .replace("default:", "limited:")
                .replace(PASSWORD, "limited"),
        )
        .key_prefix("limited"),
    )
    .await;
    let user = new_user();
    let id = session_of(&store, &user).await;
    let to = successor_of(&id);
    store.update(&id, &Update::new(set("a", "1")).touching()).await.unwrap();
    store.renew(&id, &to, &Renewal::of(Some(user.clone()))).await.unwrap();
    assert_eq!(ids_of(&store, &user).await, [to]);
    assert_eq!(store.end_all(&user, None).await.unwrap(), 1);
    assert_eq!(store.end_everyone().await.unwrap(), 0);
    store.purge(10).await.unwrap();
    store.ping().await.unwrap();
}

#[tokio::test]
async fn nodes_are_known_by_their_certificates() {
    let authority = Authority::new("cluster");
    let file = authority.file();
    let path = file.path().to_str().unwrap().to_owned();
    let settings = [
        ("cluster-enabled", "yes"),
        ("tls-cluster", "yes"),
        ("tls-replication", "yes"),
        ("tls-ca-cert-file", &path),
        ("masterauth", PASSWORD),
    ];
    let certificate = authority.certify("127.0.0.1");
    let nodes = (0..6)
        .map(|_| Server::start_with(Some(&certificate), &settings))
        .collect();
    let cluster = Cluster::join(nodes, Some(path));
    let url = cluster.url().replacen("redis-", "rediss-", 1);
    let store = connected(patient_at(&url).ca_file(file.path())).await;
    let user = new_user();
    for _ in 0..20 {
        session_of(&store, &user).await;
    }
    assert_eq!(store.end_all(&user, None).await.unwrap(), 20);
    let error = RedisStore::connect(patient_at(&url)).await.unwrap_err();
    assert!(
        error.is_lasting() && chain(&error).contains("UnknownIssuer"),
        "{}",
        chain(&error)
    );
}
