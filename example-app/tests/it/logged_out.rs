//! How soon an open page on one instance hears of a logout on another.

use std::time::{Duration, Instant};

use tokio::time::timeout;

use crate::{browser::Browser, database::Database, process, ready};

/// It should be a few milliseconds, and a second is promised. A busy machine is no failure, a look in half a minute is.
const GUARD: Duration = Duration::from_secs(5);

#[tokio::test]
async fn an_open_page_hears_of_a_logout_on_another_instance() {
    for database in [Database::Redis, Database::Postgres] {
        let url = database.url().await;
        let (_a, a) = process::serve("A", &url);
        let (_b, b) = process::serve("B", &url);
        for address in [&a, &b] {
            ready::until_ready(address).await;
        }
        let browser = Browser::new();
        browser
            .post_form(&format!("{a}/login"), "name=ada&password=engine")
            .await;
        let mut page = browser.listen(&format!("{a}/events")).await;
        assert!(page.until("data: ").await, "what there is");
        let begin = Instant::now();
        browser.post(&format!("{b}/logout")).await;
        let told = timeout(GUARD, page.until("event: ended")).await;
        assert!(told.unwrap_or_else(|_| panic!("not within {GUARD:?} over {database:?}")));
        println!("{database:?}: the page heard of the logout after {:?}", begin.elapsed());
    }
}
