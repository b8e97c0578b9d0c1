//! The app as two processes over one store, asked by turns.

use axum::http::StatusCode;

use crate::{browser::Browser, database::Database, process, ready};

#[tokio::test]
async fn instances_share_what_a_browser_does_over_redis() {
    instances_share_what_a_browser_does(Database::Redis).await;
}

#[tokio::test]
async fn instances_share_what_a_browser_does_over_postgres() {
    instances_share_what_a_browser_does(Database::Postgres).await;
}

#[tokio::test]
async fn apps_with_a_prefix_each_share_a_server_and_nothing_else() {
    for database in [Database::Redis, Database::Postgres] {
        let url = database.url().await;
        let start = |prefix| process::serve_with(prefix, &url, &["--prefix", prefix]);
        let (mut shop, at_shop) = start("shop");
        let (mut blog, at_blog) = start("blog");
        for address in [&at_shop, &at_blog] {
            ready::until_ready(address).await;
        }
        let browser = Browser::new();
        let login = format!("{at_shop}/login");
        browser.post_form(&login, "name=ada&password=engine").await;
        for (address, user) in [(&at_blog, None), (&at_shop, Some("ada"))] {
            let me = browser.get(&format!("{address}/api/me")).await.json();
            assert_eq!(me["user"].as_str(), user, "{database:?}");
        }
        for app in [&mut shop, &mut blog] {
            app.signal("-TERM");
            let ended = app.end();
            assert_eq!(ended.errors.matches(ready::SET_UP).count(), 1, "{ended:?}");
        }
    }
}

async fn instances_share_what_a_browser_does(database: Database) {
    let url = database.url().await;
    let (_a, a) = process::serve("A", &url);
    let (_b, b) = process::serve("B", &url);
    let browser = Browser::new();

    let me = browser.get(&format!("{a}/api/me")).await.json();
    assert_eq!(
        me,
        serde_json::json!({"user": null, "instance": "A", "visits": 0, "session": null})
    );
    for visits in 1..=10 {
        let at = [&a, &b][visits % 2];
        let me = browser.post(&format!("{at}/api/visits")).await.json();
        assert_eq!(me["visits"], visits, "{me}");
    }

    let wrong = browser
        .post_form(&format!("{a}/login"), "name=ada&password=wrong")
        .await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    let login = browser
        .post_form(&format!("{a}/login"), "name=ada&password=engine")
        .await;
    assert_eq!(login.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.cookies(), ["id"]);
    for (at, instance) in [(&b, "B"), (&a, "A"), (&b, "B")] {
        let me = browser.get(&format!("{at}/api/me")).await.json();
        assert_eq!(
            (&me["user"], &me["instance"], &me["visits"]),
            (&"ada".into(), &instance.into(), &10.into())
        );
        assert_eq!(me["session"].as_str().unwrap().len(), 8);
    }

    browser.post_form(&format!("{b}/notes"), "text=milk").await;
    let page = browser.get(&format!("{a}/")).await;
    assert!(
        page.text.contains("Instance A answered") && page.text.contains("milk"),
        "{page:?}"
    );
    let visits = page.text.matches("<span class=\"spoken\">instance ").count();
    assert_eq!(visits, 11);
    assert!(
        page.text.contains("instance A: 6 of 11") && page.text.contains("instance B: 5 of 11"),
        "{page:?}"
    );

    let before = browser.copy();
    let logout = browser.post(&format!("{a}/logout")).await;
    assert_eq!(logout.status, StatusCode::SEE_OTHER);
    assert!(browser.cookies().is_empty());
    for at in [&b, &a] {
        for browser in [&browser, &before] {
            let me = browser.get(&format!("{at}/api/me")).await.json();
            assert_eq!(
                (&me["user"], &me["visits"], &me["session"]),
                (&().into(), &0.into(), &().into())
            );
        }
    }
    assert_eq!(browser.post(&format!("{b}/logout")).await.status, StatusCode::SEE_OTHER);
}
