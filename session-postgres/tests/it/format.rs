//! What is in the tables: read and written by others too, so it stays as it is.

use std::time::Duration;

use session_core::{Delta, Fate, Lifetime, NewSession, Page, Renewal, SessionId, SessionStore, Update, Value, Version};
use sqlx::{AssertSqlSafe, Executor, Row};

use crate::{admin, load, migrated, new_id, patient, server, session, set, store, until};

#[tokio::test]
async fn a_row_written_by_hand_loads() {
    let store = store().await;
    let mut admin = admin(server()).await;
    let row = r#"INSERT INTO session.session
        (id, data, version, user_id, created, last_seen, idle_timeout, absolute_end)
        VALUES ('630dcd29-66c4-3366-9112-5448bbb20001', '{"cart": "[1, 2]", "clé": "\"\\u0000\""}', 7, 'alice',
                1700000000123, 253402300000000, 1800000, 253402300799999)"#;
    admin.execute(row).await.unwrap();
    let id: SessionId = "630dcd2966c4336691125448bbb20001".parse().unwrap();
    let record = load(&store, &id).await.unwrap();
    assert_eq!(record.data["cart"].as_bytes(), b"[1, 2]");
    assert_eq!(record.data["clé"].as_bytes(), br#""\u0000""#);
    assert_eq!((record.data.len(), record.version), (2, Version(7)));
    assert_eq!(record.user.as_deref(), Some("alice"));
    assert_eq!(record.created.unix_timestamp_nanos(), 1_700_000_000_123_000_000);
    assert_eq!(record.last_seen.unix_timestamp_nanos(), 253_402_300_000_000_000_000);
    assert_eq!(record.idle_timeout, Duration::from_secs(1800));
    assert_eq!(record.absolute_end.unix_timestamp_nanos(), 253_402_300_799_999_000_000);
    store.end(&id).await.unwrap();
}

#[tokio::test]
async fn a_session_is_a_row_and_a_renewal_a_marker() {
    let store = store().await;
    let id = new_id();
    let lifetime = Lifetime::new(Duration::from_secs(60), Duration::from_secs(3600));
    let mut delta = set("a", r#"{"b":1e400}"#);
    delta.set("c", Value::from_json("\"\\ud800\\u0000\"")).unwrap();
    store
        .create(&id, &NewSession::new(lifetime).with_user("alice").with_delta(delta))
        .await
        .unwrap();
    let mut admin = admin(server()).await;
    let text = format!("SELECT *, data::text AS text FROM session.session WHERE id = '{id}'");
    let row = admin.fetch_one(AssertSqlSafe(text)).await.unwrap();
    assert_eq!(
        row.get::<&str, _>("text"),
        r#"{"a": "{\"b\":1e400}", "c": "\"\\ud800\\u0000\""}"#
    );
    assert_eq!(row.get::<i64, _>("version"), 1);
    assert_eq!(row.get::<&str, _>("user_id"), "alice");
    let created: i64 = row.get("created");
    assert_eq!(row.get::<i64, _>("last_seen"), created);
    assert_eq!(row.get::<i64, _>("idle_timeout"), 60_000);
    assert_eq!(row.get::<i64, _>("absolute_end"), created + 3_600_000);
    assert_eq!(row.get::<i64, _>("expires"), created + 60_000);
    assert_eq!(row.get::<i64, _>("expiry_bucket"), (created + 60_000) / 600_000);

    let to = new_id();
    store
        .renew(&id, &to, &Renewal::of(Some("alice".to_owned())))
        .await
        .unwrap();
    let text = format!("SELECT successor::text, by_login, until FROM session.marker WHERE id = '{id}'");
    let row = admin.fetch_one(AssertSqlSafe(text)).await.unwrap();
    assert_eq!(row.get::<String, _>("successor").replace('-', ""), to.to_string());
    assert!(!row.get::<bool, _>("by_login"));
    assert!((300_000..360_000).contains(&(row.get::<i64, _>("until") - created)));
}

#[tokio::test]
async fn schemas_do_not_see_each_other() {
    let (one, other) = (store().await, migrated(patient(server()).schema("another")).await);
    let id = session(&one).await;
    assert!(load(&other, &id).await.is_none());
    other.end(&id).await.unwrap();
    assert!(load(&one, &id).await.is_some());
}

/// So instances of this version and of a later one can run at the same time, as in a rolling deploy.
#[tokio::test]
async fn what_a_later_version_adds_to_the_tables_is_passed_over_and_kept() {
    // One connection, so that the second turn has the statements that the first one prepared.
    let store = migrated(patient(server()).schema("later").connections(1)).await;
    let user = "a later version's";
    // Before, so that the statements are prepared for the tables as they were, and after.
    for turn in 0..2 {
        let (id, to) = (new_id(), new_id());
        let new = NewSession::new(Lifetime::default()).with_user(user);
        store.create(&id, &new).await.unwrap();
        if turn == 1 {
            let mark = "UPDATE later.session SET added = 'by it'";
            admin(server()).await.execute(mark).await.unwrap();
        }
        store.update(&id, &Update::new(set("a", "1"))).await.unwrap();
        store.update(&id, &Update::new(set("b", "1")).touching()).await.unwrap();
        store.touch(&id).await.unwrap();
        store
            .renew(&id, &to, &Renewal::of(Some(user.to_owned())))
            .await
            .unwrap();
        let record = load(&store, &to).await.unwrap();
        assert_eq!(record.data.keys().collect::<Vec<_>>(), ["a", "b"]);
        assert!(matches!(store.fates(&[to]).await.unwrap()[..], [Fate::Live(_)]));
        if turn == 1 {
            let kept = admin(server()).await.fetch_one("SELECT added FROM later.session").await;
            assert_eq!(kept.unwrap().get::<&str, _>("added"), "by it");
        }
        assert_eq!(store.of_user(user, &Page::default()).await.unwrap().len(), 1);
        assert_eq!(store.end_all(user, None).await.unwrap(), 1);
        store.purge(10).await.unwrap();
        let alter = "ALTER TABLE later.session ADD COLUMN IF NOT EXISTS added text NOT NULL DEFAULT 'later';
            ALTER TABLE later.marker ADD COLUMN IF NOT EXISTS added text NOT NULL DEFAULT 'later'";
        admin(server()).await.execute(alter).await.unwrap();
    }
}

#[tokio::test]
async fn text_that_postgres_cannot_keep_is_refused_by_name() {
    let store = store().await;
    for bytes in [&b"\"\xff\""[..], b"\"\0\""] {
        let mut delta = Delta::default();
        delta.set("odd", Value::from_json(bytes.to_vec())).unwrap();
        let id = session(&store).await;
        let refused = store.update(&id, &Update::new(delta)).await.unwrap_err();
        assert!(
            matches!(&refused, session_core::Error::Encode { key, .. } if key == "odd"),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn a_purge_removes_what_has_expired_and_nothing_else() {
    let store = migrated(patient(server()).schema("purge")).await;
    let mut admin = admin(server()).await;
    let (living, ending) = (session(&store).await, session(&store).await);
    for _ in 0..5 {
        session_and_marker(&store).await;
    }
    let text = format!("UPDATE purge.session SET absolute_end = 1 WHERE id NOT IN ('{living}', '{ending}')");
    admin.execute(AssertSqlSafe(text)).await.unwrap();
    // In a minute or more: the last one of the buckets that are looked at, unless that is less than a minute away.
    let now = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
    let end = format!("greatest({now} / 600000 * 600000 + 599999, {now} + 60000)");
    let text = format!("UPDATE purge.session SET absolute_end = {end} WHERE id = '{ending}'");
    admin.execute(AssertSqlSafe(text)).await.unwrap();
    admin
        .execute("UPDATE purge.marker SET until = 1 WHERE id IN (SELECT id FROM purge.marker LIMIT 3)")
        .await
        .unwrap();
    assert_eq!(store.purge(2).await.unwrap(), 2);
    assert_eq!(store.purge(4).await.unwrap(), 4);
    assert_eq!(store.purge(100).await.unwrap(), 2);
    assert_eq!(store.purge(100).await.unwrap(), 0);
    let count = "SELECT (SELECT count(*) FROM purge.session), (SELECT count(*) FROM purge.marker)";
    let left: (i64, i64) = sqlx::query_as(count).fetch_one(&mut admin).await.unwrap();
    assert_eq!(left, (2, 2));
    assert!(load(&store, &living).await.is_some());
    assert!(load(&store, &ending).await.is_some());
}

#[tokio::test]
async fn a_purge_leaves_out_what_somebody_is_at() {
    let store = migrated(patient(server()).schema("purge_locked")).await;
    let (mut admin, id) = (admin(server()).await, session(&store).await);
    admin
        .execute("UPDATE purge_locked.session SET absolute_end = 1")
        .await
        .unwrap();
    let text = format!("SELECT 1 FROM purge_locked.session WHERE id = '{id}' FOR UPDATE");
    admin.execute("BEGIN").await.unwrap();
    admin.execute(AssertSqlSafe(text)).await.unwrap();
    assert_eq!(store.purge(10).await.unwrap(), 0);
    admin.execute("COMMIT").await.unwrap();
    assert_eq!(store.purge(10).await.unwrap(), 1);
}

#[tokio::test]
async fn a_purge_uses_its_indexes() {
    let store = migrated(patient(server()).schema("purge_plan")).await;
    drop(store);
    let mut admin = admin(server()).await;
    admin.execute("SET enable_seqscan = off").await.unwrap();
    for (index, template) in [
        (
            "session_expiry_bucket",
            include_str!("../../src/statements/purge_sessions.sql"),
        ),
        ("marker_until", include_str!("../../src/statements/purge_markers.sql")),
    ] {
        let text = template
            .replace("{schema}", "purge_plan")
            .replace("{now}", "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint")
            .replace("{bucket_ms}", "600000")
            .replace("$1", "10");
        let explain = AssertSqlSafe(format!("EXPLAIN {text}"));
        let plan: Vec<String> = sqlx::query_scalar(explain).fetch_all(&mut admin).await.unwrap();
        let used = plan.iter().any(|line| line.contains(index));
        assert!(used && plan.iter().any(|line| line.contains("Index Cond")), "{plan:#?}");
    }
}

#[tokio::test]
async fn a_touch_writes_to_no_index() {
    let store = migrated(patient(server()).schema("hot")).await;
    let id = session(&store).await;
    for _ in 0..50 {
        store.touch(&id).await.unwrap();
        store.update(&id, &Update::new(set("key", "2"))).await.unwrap();
    }
    // A connection tells its counts when it closes, if not before.
    drop(store);
    let (updates, hot) = until("the counts of 100 updates", || async {
        let text = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables
                    WHERE schemaname = 'hot' AND relname = 'session'";
        let counts: (i64, i64) = sqlx::query_as(text)
            .fetch_one(&mut admin(server()).await)
            .await
            .unwrap();
        (counts.0 >= 100).then_some(counts)
    })
    .await;
    assert!(hot * 10 > updates * 9, "{hot} of {updates}");
}

async fn session_and_marker(store: &session_postgres::PostgresStore) {
    let id = session(store).await;
    store.renew(&id, &new_id(), &Renewal::of(None)).await.unwrap();
}
