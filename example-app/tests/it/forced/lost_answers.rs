//! Operations whose outcome the layer does not learn.

use axum::http::{StatusCode, header};
use session_core::{Loaded, SessionStore};

use super::{
    Stage, on_each_store,
    staged::{Call, Cue},
};
use crate::database::Database;

on_each_store!(
    a_session_is_created_once_though_the_answer_is_lost,
    a_session_is_created_though_the_call_is_lost,
    a_login_of_nobody_happens_once_though_the_answer_is_lost,
    a_login_of_a_visitor_happens_once_though_the_answer_is_lost,
    a_renewal_happens_once_though_the_answer_is_lost,
    an_update_is_not_made_twice_when_the_answer_is_lost,
    an_update_is_not_made_later_when_the_call_is_lost,
    a_write_whose_answer_is_lost_is_no_success,
);

async fn a_session_is_created_once_though_the_answer_is_lost(database: Database) {
    created_once(database, Cue::LoseAnswer).await;
}

async fn a_session_is_created_though_the_call_is_lost(database: Database) {
    created_once(database, Cue::LoseCall).await;
}

async fn created_once(database: Database, cue: Cue) {
    let stage = Stage::new(database).await;
    stage.store.cue(Call::Create, cue);
    stage.a.post(&stage.browser, "/write/start/1").await.assert_ok();
    // The first one was ended in case it was made, and another made: its id may have been ended by others already.
    let created = stage.store.created();
    assert_eq!((stage.store.count(Call::Create), created.len()), (2, 2));
    assert_eq!(stage.store.load(&created[..1]).await.unwrap(), Loaded::Missing);
    assert_eq!(stage.browser.cookies(), ["visitor"]);
    assert_eq!(stage.seen().await, (None, r#"{"start":"1"}"#.into()));
}

async fn a_login_of_nobody_happens_once_though_the_answer_is_lost(database: Database) {
    let stage = Stage::new(database).await;
    stage.store.cue(Call::Create, Cue::LoseAnswer);
    logs_in_once(&stage).await;
}

async fn a_login_of_a_visitor_happens_once_though_the_answer_is_lost(database: Database) {
    let stage = Stage::visited(database).await;
    let before = stage.browser.copy();
    stage.store.cue(Call::Renew, Cue::LoseAnswer);
    logs_in_once(&stage).await;
    assert_eq!(stage.seen_by(&before).await, (None, "{}".into()));
}

async fn logs_in_once(stage: &Stage) {
    stage.a.post(&stage.browser, &stage.login()).await.assert_ok();
    assert_eq!(stage.browser.cookies(), ["id"]);
    assert_eq!(stage.seen().await.0.as_ref(), Some(&stage.user));
    assert_eq!(stage.sessions().await, 1);
}

async fn a_renewal_happens_once_though_the_answer_is_lost(database: Database) {
    let stage = Stage::logged_in(database).await;
    let before = stage.browser.copy();
    stage.store.cue(Call::Renew, Cue::LoseAnswer);
    stage.a.post(&stage.browser, "/renew").await.assert_ok();
    assert_eq!(stage.store.count(Call::Renew), 2);
    assert_eq!(stage.seen().await.0.as_ref(), Some(&stage.user));
    assert_eq!(stage.seen_by(&before).await, (None, "{}".into()));
    assert_eq!(stage.sessions().await, 1);
}

async fn an_update_is_not_made_twice_when_the_answer_is_lost(database: Database) {
    let stage = Stage::visited(database).await;
    stage.store.cue(Call::Update, Cue::LoseAnswer);
    refused(&stage, "/increment").await;
    assert_eq!(stage.store.count(Call::Update), 1);
    assert_eq!(stage.seen().await.1, r#"{"count":1,"start":"1"}"#);
}

async fn an_update_is_not_made_later_when_the_call_is_lost(database: Database) {
    let stage = Stage::visited(database).await;
    stage.store.cue(Call::Update, Cue::LoseCall);
    refused(&stage, "/increment").await;
    assert_eq!(stage.store.count(Call::Update), 1);
    assert_eq!(stage.seen().await.1, r#"{"start":"1"}"#);
}

async fn a_write_whose_answer_is_lost_is_no_success(database: Database) {
    let stage = Stage::visited(database).await;
    stage.store.cue(Call::Update, Cue::LoseAnswer);
    refused(&stage, "/write/start/2").await;
    assert_eq!(stage.store.count(Call::Update), 1);
    assert_eq!(stage.seen().await.1, r#"{"start":"2"}"#);
}

async fn refused(stage: &Stage, path: &str) {
    let answer = stage.a.post(&stage.browser, path).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        answer.headers.contains_key(header::RETRY_AFTER) && answer.set_cookies().is_empty(),
        "{answer:?}"
    );
}
