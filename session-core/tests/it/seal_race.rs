//! A session that is sealed while other requests work on it.

use std::time::Duration;

use axum::http::StatusCode;

use crate::{
    browser::Browser,
    probe::Probe,
    seal::{SECRET, not_sealing, plant, sealing, stored},
};

/// A browser with an unsealed session, at an app that seals.
async fn unsealed(store: &Probe) -> Browser {
    let browser = Browser::new(&not_sealing(store));
    browser.text("/set/a/1").await;
    browser.at(&sealing(store))
}

#[tokio::test]
async fn two_first_writes_at_once_make_one_seal() {
    for (first, second) in [
        ("/set/b/walrus", "/set/c/walrus"),
        ("/add/b/walrus", "/set/c/walrus"),
        ("/set/b/walrus", "/add/c/walrus"),
        ("/add/b/walrus", "/add/c/walrus"),
    ] {
        let store = Probe::default();
        let browser = unsealed(&store).await;
        let held = store.hold("update");
        let late = browser.in_flight(first);
        held.reached().await;
        browser.text(second).await;
        let (_, before) = stored(&store, &browser).await;
        held.release();
        assert_eq!(late.await.unwrap().status, StatusCode::OK, "{first} {second}");
        assert_eq!(stored(&store, &browser).await.1.seal, before.seal);
        for (key, value) in [("a", "1"), ("b", SECRET), ("c", SECRET)] {
            assert_eq!(browser.text(&format!("/get/{key}")).await, value, "{first} {second}");
        }
    }
}

#[tokio::test]
async fn an_update_meets_a_value_that_was_sealed_meanwhile() {
    let store = Probe::default();
    let browser = unsealed(&store).await;
    let held = store.hold("update");
    let late = browser.in_flight("/add/a/3");
    held.reached().await;
    // On another instance: on its own it would wait.
    browser.at(&sealing(&store)).text("/add/a/2").await;
    held.release();
    assert_eq!(late.await.unwrap().status, StatusCode::OK);
    assert_eq!(browser.text("/get/a").await, "123");
}

#[tokio::test]
async fn an_update_waits_for_one_that_makes_the_seal() {
    let store = Probe::default();
    let browser = unsealed(&store).await;
    let held = store.hold("update");
    let first = browser.in_flight("/add/a/2");
    held.reached().await;
    // It cannot open what the first one wrote before it knows the seal.
    let second = browser.in_flight("/add/a/3");
    tokio::time::sleep(Duration::from_millis(50)).await;
    held.release();
    for update in [first, second] {
        assert_eq!(update.await.unwrap().status, StatusCode::OK);
    }
    assert_eq!(browser.text("/get/a").await, "123");
}

#[tokio::test]
async fn an_instance_that_does_not_seal_yet_meets_a_session_sealed_meanwhile() {
    let store = Probe::default();
    let browser = unsealed(&store).await;
    let old = browser.at(&not_sealing(&store));
    for (late, path) in [("/add/a/3", "/add/a/2"), ("/set/b/1", "/set/c/1")] {
        let held = store.hold("update");
        let late = old.in_flight(late);
        held.reached().await;
        browser.text(path).await;
        held.release();
        assert_eq!(late.await.unwrap().status, StatusCode::OK);
    }
    let mut seen = String::new();
    for key in ["a", "b", "c"] {
        seen += &browser.text(&format!("/get/{key}")).await;
    }
    assert_eq!(seen, "12311");
}

#[tokio::test]
async fn a_first_write_under_a_token_just_renewed_is_refused() {
    // Whoever renewed it may have left it unsealed, to be sealed under the new token with another key.
    for renewing in [not_sealing, sealing] {
        let store = Probe::default();
        let browser = unsealed(&store).await;
        let held = store.hold("update");
        let late = browser.in_flight("/set/b/walrus");
        held.reached().await;
        let renewed = browser.at(&renewing(&store));
        renewed.text("/renew").await;
        let renewed = renewed.at(&sealing(&store));
        renewed.text("/set/c/walrus").await;
        held.release();
        assert_eq!(late.await.unwrap().status, StatusCode::CONFLICT);
        for (key, value) in [("a", "1"), ("b", ""), ("c", SECRET)] {
            assert_eq!(renewed.text(&format!("/get/{key}")).await, value);
        }
    }
}

#[tokio::test]
async fn a_write_to_a_sealed_session_finds_it_after_a_renewal() {
    let store = Probe::default();
    let browser = Browser::new(&sealing(&store));
    browser.text("/set/a/1").await;
    for (path, key) in [("/set/b/walrus", "b"), ("/add/c/walrus", "c")] {
        let held = store.hold("update");
        let late = browser.in_flight(path);
        held.reached().await;
        browser.text("/renew").await;
        held.release();
        assert_eq!(late.await.unwrap().status, StatusCode::OK);
        assert_eq!(browser.text(&format!("/get/{key}")).await, SECRET);
    }
}

#[tokio::test]
async fn a_renewal_that_knows_of_no_seal_does_not_lose_it() {
    let store = Probe::default();
    let browser = unsealed(&store).await;
    let held = store.hold("renew");
    let late = browser.at(&not_sealing(&store)).in_flight("/renew");
    held.reached().await;
    browser.text("/set/b/walrus").await;
    held.release();
    assert_eq!(late.await.unwrap().status, StatusCode::CONFLICT);
    assert_eq!(browser.text("/get/b").await, SECRET);
}

#[tokio::test]
async fn a_renewal_and_a_first_write_at_once_have_one_key() {
    let store = Probe::default();
    let browser = unsealed(&store).await;
    let held = store.hold("renew");
    let late = browser.in_flight("/renew");
    held.reached().await;
    browser.text("/set/b/walrus").await;
    held.release();
    browser.keep(&late.await.unwrap());
    browser.text("/set/c/walrus").await;
    for (key, value) in [("a", "1"), ("b", SECRET), ("c", SECRET)] {
        assert_eq!(browser.text(&format!("/get/{key}")).await, value);
    }
}

#[tokio::test]
async fn somebody_elses_login_begins_with_a_key_of_its_own() {
    let store = Probe::default();
    let browser = Browser::new(&sealing(&store));
    browser.text("/login/ada").await;
    browser.text("/set/note/walrus").await;
    let (_, adas) = stored(&store, &browser).await;
    browser.text("/login/ada").await;
    let (id, again) = stored(&store, &browser).await;
    assert_eq!(again.data["note"], adas.data["note"], "hers keeps its key");
    assert_eq!(browser.text("/get/note").await, SECRET);

    browser.text("/login/bob").await;
    let (bobs, _) = stored(&store, &browser).await;
    assert_ne!(bobs, id);
    plant(&store, &bobs, "note", adas.data["note"].clone()).await;
    let page = browser.get("/get/note").await;
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
}
