//! What happens in one exact order, on each store: at a barrier inside the store's call, inside the handler, or between
//! two trips to the server. The requests are real ones, to two instances in this process.

mod barrier;
mod instance;
mod link;
mod logins;
mod logouts;
mod lost_answers;
mod renewals;
mod staged;
mod trips;
mod writes;

use std::sync::Arc;

use session_core::{Page, SessionStore};

use crate::{browser::Browser, database::Database};
use instance::Instance;
use staged::Staged;

/// One test a store of each function.
macro_rules! on_each_store {
    ($($test:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test] async fn $test() { super::$test($crate::database::Database::Memory).await; })*
        }
        mod postgres {
            $(#[tokio::test] async fn $test() { super::$test($crate::database::Database::Postgres).await; })*
        }
        mod redis {
            $(#[tokio::test] async fn $test() { super::$test($crate::database::Database::Redis).await; })*
        }
    };
}
use on_each_store;

/// Two instances over one store, and a browser. What the first one's store does is staged.
struct Stage {
    store: Arc<Staged>,
    a: Instance,
    b: Instance,
    browser: Browser,
    /// A user that no other test has.
    user: String,
}

impl Stage {
    async fn new(database: Database) -> Self {
        let [a, b] = database.stores().await;
        let store = Arc::new(Staged::new(a));
        Self {
            a: Instance::start(store.clone()).await,
            b: Instance::start(b).await,
            store,
            browser: Browser::new(),
            user: unique("user"),
        }
    }

    /// A stage whose browser has logged in.
    async fn logged_in(database: Database) -> Self {
        let stage = Self::new(database).await;
        stage.b.post(&stage.browser, &stage.login()).await.assert_ok();
        stage
    }

    /// A stage whose browser has a session and is not logged in.
    async fn visited(database: Database) -> Self {
        let stage = Self::new(database).await;
        stage.b.post(&stage.browser, "/write/start/1").await.assert_ok();
        stage
    }

    fn login(&self) -> String {
        format!("/login/{}", self.user)
    }

    /// How many sessions the user has.
    async fn sessions(&self) -> usize {
        self.store.of_user(&self.user, &Page::default()).await.unwrap().len()
    }

    /// What both instances see of the browser's session: the user, and the data.
    async fn seen(&self) -> (Option<String>, String) {
        self.seen_by(&self.browser).await
    }

    async fn seen_by(&self, browser: &Browser) -> (Option<String>, String) {
        let (a, b) = (self.a.state(browser).await, self.b.state(browser).await);
        assert_eq!(a, b);
        a
    }
}

fn unique(prefix: &str) -> String {
    format!("{prefix}-{}", session_core::SessionToken::random().unwrap().id())
}
