//! Settings: what is refused, what is shown.

use session_core::{Error, SessionStore};
use session_redis::{RedisOptions, RedisStore};

use crate::{
    admin, chain, connected, load, patient, patient_at, run, server,
    server::{PASSWORD, USER},
    session,
};

#[test]
fn only_a_redis_url_will_do() {
    for url in [
        "http://app:geheim@redis",
        "app:geheim@redis",
        "",
        "ge-heim://redis",
        "redis+unix:///geheim",
        "redis://app:geheim@redis:port",
        "redis://app:geheim@redis/name",
        "redis://app:geheim@redis/-",
        "redis://:geheim@",
        "redis://app:geheim#1@redis",
        "rediss://app:geheim@redis/#insecure",
        "redis://0.0.0.0",
        "redis-sentinel://app:geheim@sentinel",
        "redis-sentinel://app:geheim@sentinel/",
        "redis-sentinel://app:geheim@sentinel/service/name",
        "redis-sentinel://app:geheim@sentinel/service name",
        "redis-sentinel://app:geheim@sentinel:port/service",
        "redis-sentinel://app:geheim@one,,two/service",
        "redis-sentinel://app:geheim@/service",
        "redis-sentinel://sentinel/service?password=geheim",
        "redis-cluster://app:geheim@node/1",
        "redis-cluster://app:geheim@node/?geheim=1",
        "redis-cluster://app:geheim@one,two:x",
        "redis-geheim://node",
    ] {
        let refused = RedisOptions::from_url(url).unwrap_err();
        let text = chain(&refused);
        assert!(matches!(refused, Error::Unavailable { .. }), "{url}: {text}");
        assert!(!text.contains("heim"), "{text}");
    }
    let text = chain(&RedisOptions::from_url("postgres://db/app").unwrap_err());
    assert!(text.contains("postgres://") && text.contains("rediss://"), "{text}");
    for url in [
        "redis://localhost",
        "rediss://localhost:6380/2",
        "valkey://app:pass@[::1]",
        "valkeys://:pass@localhost/",
        "redis-sentinel://sentinel/service",
        "rediss+sentinel://app:pass@s1.example,s2.example:5000,[::1]/main-1/2?sentinel_password=a%2F@:/b",
        "redis-sentinel://s1.example/main?sentinel_username=app&sentinel_password=pass",
        "valkey-cluster://node/0",
        "rediss-cluster://:pass@10.0.0.1:7000,10.0.0.2:7001/",
    ] {
        assert!(RedisOptions::from_url(url).is_ok(), "{url}");
    }
}

#[tokio::test]
async fn a_prefix_that_could_mix_up_keys_is_refused() {
    let long = "p".repeat(65);
    for prefix in ["", "a b", "{a}", "a}", "a*", "a?", "[a]", "ä", "a\n", "a%", &long] {
        let options = patient(server()).key_prefix(prefix);
        let text = chain(&RedisStore::new(options).unwrap_err());
        assert!(text.contains("cannot be the prefix of keys"), "{prefix:?}: {text}");
    }
    for prefix in ["A-1_b.c:d", &long[1..]] {
        session(&connected(patient(server()).key_prefix(prefix)).await).await;
    }
}

#[test]
fn a_password_is_never_shown() {
    let url = "rediss://app:geheim@redis.example:6390/3";
    let options = RedisOptions::from_url(url).unwrap();
    let shown = format!("{options:?} {:?}", RedisStore::new(options.clone()).unwrap());
    assert!(!shown.contains("geheim"), "{shown}");
    let url = "redis-sentinel://app:geheim@one,two/main/3?sentinel_username=guard&sentinel_password=ge:heim";
    let options = RedisOptions::from_url(url).unwrap();
    let text = format!("{options:?}");
    assert!(
        !text.contains("heim") && text.contains("main by one:26379,two:26379"),
        "{text}"
    );
    for part in [
        "redis.example:6390",
        "\"app\"",
        "database: 3",
        "tls: true",
        "\"session\"",
    ] {
        assert!(shown.contains(part), "{shown}");
    }
}

#[tokio::test]
async fn a_ca_file_must_hold_certificates() {
    let url = "rediss://redis.example";
    let file = tempfile::NamedTempFile::new().unwrap();
    let missing = file.path().with_extension("missing");
    for (path, why) in [(file.path(), "no certificate"), (missing.as_path(), "No such file")] {
        let options = RedisOptions::from_url(url).unwrap().ca_file(path);
        let error = RedisStore::new(options).unwrap_err();
        let text = chain(&error);
        assert!(error.is_lasting(), "{text}");
        assert!(text.contains(path.to_str().unwrap()) && text.contains(why), "{text}");
    }
}

#[tokio::test]
async fn the_database_of_the_url_is_used() {
    let second = connected(patient_at(&format!("{}/2", server().url()))).await;
    let id = session(&second).await;
    assert!(load(&second, &id).await.is_some());
    assert!(load(&crate::store().await, &id).await.is_none());
    let mut admin = admin(server());
    let () = run(&mut admin, &["SELECT", "2"]);
    assert_eq!(run::<u32>(&mut admin, &["EXISTS", &crate::key(&id)]), 1);
}

#[tokio::test]
async fn a_url_will_do_for_a_store() {
    let url = server().url();
    RedisStore::connect(&*url).await.unwrap().ping().await.unwrap();
    let lazy = RedisStore::new(url.parse().unwrap()).unwrap();
    lazy.ping().await.unwrap();
    // The password may be written so that it fits into a URL.
    let encoded: String = PASSWORD.bytes().map(|byte| format!("%{byte:02x}")).collect();
    connected(patient_at(&server().url_as(USER, &encoded))).await;
}
