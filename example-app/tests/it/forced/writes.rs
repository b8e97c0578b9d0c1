//! Writes that say nothing new.

use super::{Stage, on_each_store};
use crate::database::Database;

on_each_store!(an_insert_of_the_loaded_value_is_written);

async fn an_insert_of_the_loaded_value_is_written(database: Database) {
    let stage = Stage::visited(database).await;
    let late = tokio::spawn(stage.a.post(&stage.browser, "/insert-what-was-loaded/start"));
    stage.a.handler.reached().await;
    stage.b.post(&stage.browser, "/write/start/2").await.assert_ok();
    stage.a.handler.open();
    late.await.unwrap().assert_ok();
    assert_eq!(stage.seen().await.1, r#"{"start":"1"}"#);
}
