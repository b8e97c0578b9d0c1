//! What whoever writes to the store can do to a sealed session, and what not.

use axum::http::StatusCode;
use session_core::{Lifetime, NewSession, Record, Seal, SessionId, SessionLayer, SessionStore, Value};

use crate::{
    browser::Browser,
    probe::Probe,
    seal::{SECRET, app, not_sealing, plant, sealing, stored},
};

/// Puts another record in the place of the session's.
async fn replace(store: &Probe, id: &SessionId, record: &Record) {
    let mut new = NewSession::new(Lifetime::default());
    for (key, value) in &record.data {
        new.delta.set(key, value.clone()).unwrap();
    }
    new.user.clone_from(&record.user);
    new.seal.clone_from(&record.seal);
    store.store.end(id).await.unwrap();
    store.store.create(id, &new).await.unwrap();
}

async fn is_refused(browser: &Browser, path: &str) -> bool {
    let page = browser.get(path).await;
    assert!(!page.text.contains(SECRET), "{}", page.text);
    page.status == StatusCode::INTERNAL_SERVER_ERROR
}

#[tokio::test]
async fn p12_a_value_that_was_tampered_with_is_an_error_for_its_key_alone() {
    let store = Probe::default();
    let browser = Browser::new(&sealing(&store));
    browser.text("/set/a/walrus").await;
    browser.text("/set/b/walrus").await;
    let (id, record) = stored(&store, &browser).await;
    let whole = record.data["a"].clone();
    for at in 0..whole.len() {
        let mut text = whole.as_bytes().to_vec();
        text[at] ^= 1;
        plant(&store, &id, "a", Value::from_json(text)).await;
        assert!(is_refused(&browser, "/get/a").await, "byte {at}");
        assert!(is_refused(&browser, "/add/a/x").await, "byte {at}");
        assert_eq!(browser.text("/get/b").await, SECRET);
    }
    assert_eq!(browser.text("/keys").await, "a b");
    browser.text("/set/a/new").await;
    assert_eq!(browser.text("/get/a").await, "new", "it can be written over");
}

#[tokio::test]
async fn values_cannot_be_swapped_between_keys_or_sessions() {
    let store = Probe::default();
    let browsers = [(); 2].map(|()| Browser::new(&sealing(&store)));
    for browser in &browsers {
        browser.text("/set/a/walrus").await;
        browser.text("/set/b/walrus").await;
    }
    let (id, record) = stored(&store, &browsers[0]).await;
    plant(&store, &id, "b", record.data["a"].clone()).await;
    assert!(is_refused(&browsers[0], "/get/b").await);
    let (_, other) = stored(&store, &browsers[1]).await;
    plant(&store, &id, "b", other.data["b"].clone()).await;
    assert!(is_refused(&browsers[0], "/get/b").await);
    // With the seal they came with they are no better: it is another token's.
    replace(&store, &id, &other).await;
    assert!(is_refused(&browsers[0], "/get/b").await);
}

#[tokio::test]
async fn a_plain_value_is_refused_where_all_are_sealed() {
    let store = Probe::default();
    let browser = Browser::new(&sealing(&store));
    browser.text("/set/a/walrus").await;
    let (id, _) = stored(&store, &browser).await;
    plant(&store, &id, "planted", Value::encode("x").unwrap()).await;
    for app in [sealing(&store), not_sealing(&store)] {
        let browser = browser.at(&app);
        assert!(is_refused(&browser, "/get/planted").await);
        assert!(is_refused(&browser, "/add/planted/x").await);
        assert_eq!(browser.text("/get/a").await, SECRET);
    }
}

#[tokio::test]
async fn a_session_that_lost_its_seal_is_not_read_by_a_layer_that_reads_no_other() {
    let store = Probe::default();
    let only = app(&store, SessionLayer::seal_only);
    let browser = Browser::new(&only);
    browser.text("/login/ada").await;
    let (id, mut record) = stored(&store, &browser).await;
    record.seal = None;
    record.data.insert("planted".into(), Value::encode("x").unwrap());
    replace(&store, &id, &record).await;
    assert_eq!(browser.at(&sealing(&store)).text("/get/planted").await, "x");
    for path in ["/get/planted", "/get/login", "/add/planted/x"] {
        assert!(is_refused(&browser, path).await, "{path}");
    }
    browser.text("/set/planted/mine").await;
    assert_eq!(browser.text("/get/planted").await, "mine");
    assert_eq!(browser.text("/user").await, "ada");
}

#[tokio::test]
async fn a_damaged_seal_costs_the_values_and_nothing_else() {
    for change in 0..4 {
        let store = Probe::default();
        let browser = Browser::new(&sealing(&store));
        browser.text("/login/ada").await;
        browser.text("/set/a/walrus").await;
        let (id, mut record) = stored(&store, &browser).await;
        let mut seal = record.seal.take().unwrap().as_bytes().to_vec();
        match change {
            0 => seal.clear(),
            1 => seal[0] ^= 1,
            2 => seal[1] ^= 3, // sealed at its birth or since: each opens with a key of its own
            _ => seal[20] ^= 1,
        }
        record.seal = Some(Seal::from_bytes(seal));
        plant(&store, &id, "plain", Value::encode("x").unwrap()).await;
        record.data.insert("plain".into(), Value::encode("x").unwrap());
        replace(&store, &id, &record).await;

        for path in ["/get/a", "/get/login", "/get/plain", "/add/a/x", "/set/b/1", "/add/b/1"] {
            assert!(is_refused(&browser, path).await, "{change} {path}");
        }
        assert_eq!(browser.text("/user").await, "ada");
        assert_eq!(browser.text("/keys").await, "a login plain");
        browser.text("/remove/plain").await;
        // A login, and a renewal, begins with a new key; what was sealed with the lost one stays unreadable.
        browser.text(["/login/ada", "/renew"][change % 2]).await;
        browser.text("/set/b/walrus").await;
        assert_eq!(browser.text("/get/b").await, SECRET);
        assert!(is_refused(&browser, "/get/a").await);
        browser.text("/set/a/walrus").await;
        assert_eq!(browser.text("/get/a").await, SECRET);
        browser.text("/logout").await;
        assert_eq!(browser.text("/user").await, "");
    }
}
