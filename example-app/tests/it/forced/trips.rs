//! A renewal between any two trips to the server of a call that ends sessions.

use std::{future::Future, sync::Arc};

use session_core::{Page, SessionStore};
use tokio::task::JoinHandle;

use super::{instance::Instance, link::Link, unique};
use crate::{browser::Browser, database::Database};

/// An instance with a link that can be held, one without, and a logged-in browser.
struct Stage {
    link: Link,
    held: Arc<dyn SessionStore>,
    slow: Instance,
    direct: Instance,
}

impl Stage {
    async fn new(database: Database) -> Self {
        let url = database.url().await;
        let (rest, port) = url.rsplit_once("127.0.0.1:").unwrap();
        let (port, path) = port.split_once('/').map_or((port, String::new()), |(port, path)| (port, format!("/{path}")));
        let link = Link::to(port.parse().unwrap()).await;
        let held = database.store_at(&format!("{rest}127.0.0.1:{}{path}", link.port())).await;
        held.ping().await.unwrap();
        Self {
            slow: Instance::start(held.clone()).await,
            held,
            link,
            direct: Instance::start(database.store_at(&url).await).await,
        }
    }

    /// Begins `end` for a new user, renews the session before its first sending to the server, before its second, and
    /// so on until there is none to hold, and sees each time that no session is left. Returns how many there were.
    async fn renew_before_each_sending<F: Future<Output = ()> + Send + 'static>(
        &self,
        end: impl Fn(String, Browser) -> F,
    ) -> usize {
        for sending in 0.. {
            let (user, browser) = (unique("user"), Browser::new());
            self.direct.post(&browser, &format!("/login/{user}")).await.assert_ok();
            let before = browser.copy();
            let barrier = self.link.hold_after(sending);
            let mut ending: JoinHandle<()> = tokio::spawn(end(user.clone(), browser.copy()));
            let is_held = tokio::select! {
                ended = &mut ending => { ended.unwrap(); false }
                () = barrier.reached() => true,
            };
            if is_held {
                // It is renewed, or it is over already.
                let renewal = self.direct.post(&browser, "/renew").await;
                assert!(matches!(renewal.status.as_u16(), 200 | 409), "{renewal:?}");
                barrier.open();
                ending.await.unwrap();
            }
            for browser in [&before, &browser] {
                let state = self.direct.state(browser).await;
                assert_eq!(state, (None, "{}".into()), "before sending {sending}");
            }
            assert_eq!(self.held.of_user(&user, &Page::default()).await.unwrap(), []);
            if !is_held {
                return sending;
            }
        }
        unreachable!()
    }
}

async fn a_renewal_in_the_middle_of_a_logout_saves_nothing(database: Database) {
    let stage = Stage::new(database).await;
    let slow = Arc::new(stage.slow.url().to_owned());
    let logout = |_user, browser: Browser| {
        let url = format!("{slow}/logout");
        async move { browser.post(&url).await.assert_ok() }
    };
    let sendings = stage.renew_before_each_sending(logout).await;
    assert!(sendings >= 2, "it loads the session and ends it: {sendings}");
}

async fn a_renewal_in_the_middle_of_end_all_saves_nothing(database: Database) {
    let stage = Stage::new(database).await;
    let end_all = |user: String, _browser| {
        let store = Arc::clone(&stage.held);
        async move {
            store.end_all(&user, None).await.unwrap();
        }
    };
    let sendings = stage.renew_before_each_sending(end_all).await;
    assert!(sendings >= 1, "{sendings}");
}

mod postgres {
    use crate::database::Database::Postgres;

    #[tokio::test]
    async fn a_renewal_in_the_middle_of_a_logout_saves_nothing() {
        super::a_renewal_in_the_middle_of_a_logout_saves_nothing(Postgres).await;
    }

    #[tokio::test]
    async fn a_renewal_in_the_middle_of_end_all_saves_nothing() {
        super::a_renewal_in_the_middle_of_end_all_saves_nothing(Postgres).await;
    }
}

mod redis {
    use crate::database::Database::Redis;

    #[tokio::test]
    async fn a_renewal_in_the_middle_of_a_logout_saves_nothing() {
        super::a_renewal_in_the_middle_of_a_logout_saves_nothing(Redis).await;
    }

    #[tokio::test]
    async fn a_renewal_in_the_middle_of_end_all_saves_nothing() {
        super::a_renewal_in_the_middle_of_end_all_saves_nothing(Redis).await;
    }
}
