//! Logouts whose client goes away.

use super::{Stage, on_each_store, staged::Call};
use crate::database::Database;

on_each_store!(a_logout_whose_handler_is_dropped_happens);

async fn a_logout_whose_handler_is_dropped_happens(database: Database) {
    let stage = Stage::logged_in(database).await;
    let (end, ended) = stage.store.hold_around(Call::End);
    let logout = tokio::spawn(stage.a.post(&stage.browser, "/logout"));
    end.reached().await;
    logout.abort();
    stage.a.over().await;
    end.open();
    ended.reached().await;
    assert_eq!(stage.seen().await, (None, "{}".into()));
    assert_eq!(stage.sessions().await, 0);
    ended.open();
}
