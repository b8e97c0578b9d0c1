//! Sealed data over a real server: it sees no value, and every instance reads them.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Path,
    http::{Request, StatusCode, header},
    routing::get,
};
use session_core::{Error, Session, SessionLayer};
use session_postgres::PostgresStore;
use sqlx::postgres::PgConnection;
use tower::ServiceExt;

use crate::{admin, migrated, patient, server};

fn instance(store: PostgresStore) -> Router {
    let routes = Router::new()
        .route(
            "/set/{key}/{value}",
            get(async |session: Session, Path((key, value)): Path<(String, String)>| session.insert(&key, &value)),
        )
        .route(
            "/get/{key}",
            get(async |session: Session, Path(key): Path<String>| {
                Ok::<_, Error>(session.get::<String>(&key)?.unwrap_or_default())
            }),
        )
        .route("/login", get(async |session: Session| session.login("alice")))
        .route("/renew", get(async |session: Session| session.renew()));
    let patience = Duration::from_secs(20);
    routes.layer(SessionLayer::new(store).seal().store_timeout(patience))
}

/// The cookies of a browser.
#[derive(Default)]
struct Browser(BTreeMap<String, String>);

impl Browser {
    async fn get(&mut self, instance: &Router, path: &str) -> String {
        let cookies: Vec<_> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Request::get(path).header(header::COOKIE, cookies.join("; "));
        let request = request.body(Body::empty()).unwrap();
        let response = instance.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.0.insert(name.into(), value.into());
        }
        self.0.retain(|_, value| !value.is_empty());
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    }
}

/// All that the tables have.
async fn raw(admin: &mut PgConnection) -> String {
    let all = "SELECT string_agg(rows.text, ' ') FROM ( \
               SELECT session::text FROM sealed.session UNION ALL SELECT marker::text FROM sealed.marker \
               ) AS rows (text)";
    sqlx::query_scalar(all).fetch_one(admin).await.unwrap()
}

#[tokio::test]
async fn p7_postgres_sees_no_value_and_every_instance_does() {
    let mut admin = admin(server()).await;
    let here = instance(migrated(patient(server()).schema("sealed")).await);
    let there = instance(migrated(patient(server()).schema("sealed")).await);
    let mut browser = Browser::default();
    for (at, path, keys) in [
        (&here, "/set/animal/walrus", &["animal"][..]),
        (&there, "/set/bird/penguin", &["animal", "bird"]),
        (&here, "/login", &["animal", "bird"]),
        (&there, "/renew", &["animal", "bird"]),
        (&here, "/set/bird/penguin", &["animal", "bird"]),
        (&there, "/login", &["animal", "bird"]),
    ] {
        browser.get(at, path).await;
        assert_eq!(browser.get(&there, "/get/animal").await, "walrus", "{path}");
        assert_eq!(browser.get(&here, "/get/animal").await, "walrus", "{path}");
        assert_eq!(browser.get(&here, "/get/bird").await == "penguin", keys.len() == 2);
        let raw = raw(&mut admin).await;
        assert!(keys.iter().all(|key| raw.contains(key)), "{path}: {raw}");
        let secrets = ["walrus", "penguin"]
            .into_iter()
            .chain(browser.0.values().map(String::as_str));
        for secret in secrets {
            assert!(!raw.contains(secret), "{path}: {raw}");
        }
    }
}
