//! Bindings as platforms and people make them.

use serde_json::json;

use super::{BOUND, only, postgres, provided, redis, services};

const REDIS_HOST: &str = "master.prd-0c1e2f7b-7c0d-4a44-8d0e-0f9a6e0a1b2c.xxxxxx.usgw1.cache.amazonaws.com";
const RDS_HOST: &str = "cg-aws-broker-prodab12cd34ef56gh7.c1xxxxxxxxxx.us-gov-west-1.rds.amazonaws.com";

#[test]
fn what_cloud_gov_binds_is_found_and_has_tls() {
    let bound = services(&serde_json::from_str(BOUND).unwrap());
    assert_eq!(
        redis(&bound),
        format!("rediss://:25AlphaNumericMixedCase00@{REDIS_HOST}:6379")
    );
    let database = "cgawsbrokerprodab12cd34ef56gh7?sslmode=verify-full";
    let login = "u15lowercasealnum:25lowercasealphanumerics0";
    assert_eq!(
        postgres(&bound),
        format!("postgres://{login}@{RDS_HOST}:5432/{database}")
    );
}

#[test]
fn an_old_binding_of_elasticache_has_tls_too() {
    let old = BOUND.replace("rediss://", "redis://");
    assert_ne!(old, BOUND);
    let url = redis(&services(&serde_json::from_str(&old).unwrap()));
    assert!(url.starts_with("rediss://:"), "{url}");
}

#[test]
fn elasticache_is_known_by_its_label_alone() {
    let bound = services(&json!({"aws-elasticache-redis": [{"credentials": {"hostname": "r.example"}}]}));
    assert_eq!(redis(&bound), "rediss://r.example:6379");
}

#[test]
fn aws_rds_verifies_whatever_its_uri_says() {
    for uri in [
        "postgres://u:p@db.example/app",
        "postgresql://u:p@db.example/app?sslmode=disable",
    ] {
        let bound = services(&json!({"aws-rds": [{"label": "aws-rds", "credentials": {"uri": uri}}]}));
        assert_eq!(
            postgres(&bound),
            "postgres://u:p@db.example:5432/app?sslmode=verify-full"
        );
    }
}

#[test]
fn a_replica_is_never_used() {
    let replica = json!({
        "replica_uri": "postgres://u:p@replica.example:5432/app", "replica_host": "replica.example",
        "uri": "postgres://u:p@primary.example:5432/app", "host": "primary.example"
    });
    assert!(postgres(&only(&replica)).contains("@primary.example:5432/"));
    let alone = json!({"replica_uri": "postgres://u:p@replica.example:5432/app", "replica_host": "replica.example"});
    assert!(only(&alone).postgres(None).is_err());
    assert!(only(&alone).postgres(Some("it")).is_err());
}

#[test]
fn a_user_provided_redis_has_a_uri_or_its_parts() {
    for (credentials, url) in [
        (json!({"uri": "redis://r.example"}), "redis://r.example:6379"),
        (
            json!({"url": " VALKEYS://app:p@r.example:6380/2\n"}),
            "rediss://app:p@r.example:6380/2",
        ),
        (
            json!({"uri": "https://dashboard.example", "url": "redis://r.example"}),
            "redis://r.example:6379",
        ),
        (
            json!({"uri": "redis://:a%2Fb%40c@r.example"}),
            "redis://:a%2Fb%40c@r.example:6379",
        ),
        (
            json!({"uri": "redis://:a@b:c@r.example:1"}),
            "redis://:a%40b%3Ac@r.example:1",
        ),
        (
            json!({"uri": "redis://:100%@r.example"}),
            "redis://:100%25@r.example:6379",
        ),
        (
            json!({"uri": "redis://a:b@r.example:1/2", "host": "h", "port": 9, "user": "u", "password": "p", "database": 3}),
            "redis://a:b@r.example:1/2",
        ),
        (
            json!({"uri": "redis://[2001:db8::1]:7000/"}),
            "redis://[2001:db8::1]:7000",
        ),
        (
            json!({"uri": "redis://r.example?ssl_cert_reqs=none"}),
            "redis://r.example:6379",
        ),
        (
            json!({"uri": "redis://r.example", "port": 7, "password": "a b"}),
            "redis://:a%20b@r.example:7",
        ),
        (
            json!({"uri": "redis://r.example:6379", "tls_port": "16379"}),
            "rediss://r.example:16379",
        ),
        (
            json!({"uri": "redis://r.example", "port": 0, "tls_port": 6380}),
            "rediss://r.example:6380",
        ),
        (
            json!({"uri": "redis://r.example", "tls": true}),
            "rediss://r.example:6379",
        ),
        (
            json!({"uri": "redis://r.example", "tls": "true"}),
            "rediss://r.example:6379",
        ),
        (
            json!({"uri": "redis://r.example", "tls": false}),
            "redis://r.example:6379",
        ),
    ] {
        assert_eq!(redis(&only(&credentials)), url, "{credentials}");
    }
    let parts = json!({"hostname": "r.example", "port": 6380, "user": "app", "password": 12345, "name": "my cache"});
    assert_eq!(
        only(&parts).redis(Some("it")).unwrap().url(),
        "redis://app:12345@r.example:6380"
    );
}

#[test]
fn a_user_provided_postgres_has_a_uri_or_its_parts() {
    for (credentials, url) in [
        (
            json!({"uri": "postgres://u:p%20%C3%A4@d.example"}),
            "postgres://u:p%20%C3%A4@d.example:5432",
        ),
        (
            json!({"url": "PostgreSQL://u@d.example:1/a%2Fb"}),
            "postgres://u@d.example:1/a%2Fb",
        ),
        (
            json!({"uri": "postgres://u@d.example/app?sslmode=require"}),
            "postgres://u@d.example:5432/app?sslmode=require",
        ),
        (
            json!({"uri": "postgres://u@d.example", "name": "app", "port": "6"}),
            "postgres://u@d.example:6/app",
        ),
        (
            json!({"uri": "postgres://u@d.example/one", "name": "two"}),
            "postgres://u@d.example:5432/one",
        ),
    ] {
        assert_eq!(postgres(&only(&credentials)), url, "{credentials}");
    }
    let parts = json!({"host": "d.example", "port": 6432, "username": "ü", "password": "a/b@c", "db_name": "app"});
    let url = only(&parts).postgres(Some("it")).unwrap().url();
    assert_eq!(url, "postgres://%C3%BC:a%2Fb%40c@d.example:6432/app");
}

#[test]
fn what_is_unknown_missing_or_null_is_no_harm() {
    let bound = services(&json!({
        "later": [{"new_field": {"a": [1]}, "credentials": {"uri": "redis://r.example", "extra": {"deep": [null]}}}],
        "null": null, "text": "text", "number": 1, "object": {"name": "x"}, "empty": [],
        "odd": [null, 1, "text", [], {}, {"credentials": null, "tags": null, "name": null, "label": 1},
                {"credentials": [], "tags": "redis", "name": {}}, {"tags": [null, 1, {}]}],
        "user-provided": [provided("flags", &json!({"on": true, "n": 1.5, "none": null, "list": [], "uri": null}))],
    }));
    assert_eq!(redis(&bound), "redis://r.example:6379");
    assert!(bound.postgres(None).is_err());
}
