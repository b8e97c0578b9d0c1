//! Which of the bound services is taken.

use serde_json::json;
use session_core::cloud_foundry::{BoundServices, CloudFoundryError, ServiceKind};

use super::{BOUND, only, postgres, provided, redis, services};

#[test]
fn a_name_of_the_binding_or_of_the_instance_selects() {
    let one = |binding: Option<&str>, instance: &str, host: &str| {
        json!({
            "label": "redis", "binding_name": binding, "instance_name": instance, "name": binding.unwrap_or(instance),
            "credentials": {"host": host}
        })
    };
    let bound = services(&json!({"redis": [one(Some("sessions"), "redis-1", "a"), one(None, "redis-2", "b")]}));
    for (name, host) in [("sessions", "a"), ("redis-1", "a"), ("redis-2", "b")] {
        assert_eq!(bound.redis(Some(name)).unwrap().url(), format!("redis://{host}:6379"));
    }
    let only_name = services(&json!({"x": [{"name": "sessions", "credentials": {"host": "c"}}]}));
    assert_eq!(only_name.redis(Some("sessions")).unwrap().url(), "redis://c:6379");
    for name in ["Sessions", "redis", ""] {
        let refused = bound.redis(Some(name)).unwrap_err();
        assert!(matches!(&refused, CloudFoundryError::NotBound { name: Some(it), .. } if it == name));
        let text = refused.to_string();
        assert!(text.contains(r#""sessions" (redis), "redis-2" (redis)"#), "{text}");
    }
}

#[test]
fn a_name_that_two_have_selects_none() {
    let twice = json!([
        provided("db", &json!({"uri": "redis://a"})),
        provided("db", &json!({"uri": "redis://b"}))
    ]);
    let refused = services(&json!({"user-provided": twice}))
        .redis(Some("db"))
        .unwrap_err();
    assert!(matches!(refused, CloudFoundryError::Ambiguous { .. }), "{refused}");
}

#[test]
fn several_of_a_kind_are_ambiguous() {
    let bound = services(&json!({
        "aws-elasticache-redis": [{"name": "one", "label": "aws-elasticache-redis", "credentials": {"host": "a"}}],
        "user-provided": [provided("two", &json!({"uri": "redis://b"})), provided("not", &json!({"uri": "https://c"}))],
    }));
    let refused = bound.redis(None).unwrap_err();
    let CloudFoundryError::Ambiguous { kind, name, seen } = &refused else {
        panic!("{refused}");
    };
    assert_eq!((kind, name), (&ServiceKind::Redis, &None));
    assert_eq!(
        seen[..],
        [r#""one" (aws-elasticache-redis)"#, r#""two" (user-provided)"#]
    );
    let text = refused.to_string();
    assert!(
        text.contains("more than one Redis service is bound") && text.contains(&seen.join(", ")),
        "{text}"
    );
    assert_eq!(bound.redis(Some("two")).unwrap().url(), "redis://b:6379");
}

#[test]
fn nothing_bound_is_told_with_what_is() {
    let nothing = BoundServices::parse("{}").unwrap();
    for refused in [
        nothing.redis(None).unwrap_err(),
        nothing.postgres(Some("db")).unwrap_err(),
    ] {
        assert!(
            matches!(&refused, CloudFoundryError::NotBound { seen, .. } if seen.is_empty()),
            "{refused}"
        );
        let text = refused.to_string();
        assert!(
            text.contains("which has no services") && text.contains("cf bind-service"),
            "{text}"
        );
    }
    let without = BOUND.replace("postgres://", "mysql://");
    let refused = BoundServices::parse(&without).unwrap().postgres(None).unwrap_err();
    let all = [
        r#""session-redis" (aws-elasticache-redis)"#,
        r#""session-postgres" (aws-rds)"#,
        r#""session-secrets" (user-provided)"#,
    ];
    assert!(all.iter().all(|one| refused.to_string().contains(one)), "{refused}");
}

#[test]
fn tags_and_labels_tell_where_there_is_no_uri() {
    let tagged = |tag: &str| services(&json!({"x": [{"tags": ["a", tag], "credentials": {"host": "h", "user": "u"}}]}));
    for tag in ["redis", "Redis", "VALKEY"] {
        assert_eq!(redis(&tagged(tag)), "redis://u@h:6379");
        assert!(tagged(tag).postgres(None).is_err());
    }
    for tag in ["postgres", "PostgreSQL"] {
        assert_eq!(postgres(&tagged(tag)), "postgres://u@h:5432");
        assert!(tagged(tag).redis(None).is_err());
    }
    assert!(tagged("redistribution").redis(None).is_err());
    let labelled = services(&json!({"redis": [{"credentials": {"host": "h"}}]}));
    assert_eq!(redis(&labelled), "redis://h:6379");
}

#[test]
fn other_databases_are_no_postgres() {
    let descriptor = "(DESCRIPTION=(ADDRESS=(PROTOCOL=TCPS)(HOST=o.example)(PORT=2484))(CONNECT_DATA=(SID=ORCL)))";
    let oracle = json!({
        "uri": format!("oracle://u:p@{descriptor}"), "jdbcUrl": format!("jdbc:oracle:thin:@{descriptor}"),
        "username": "u", "password": "p", "host": "o.example", "port": "2484", "protocol": "tcps",
        "service_name": "ORCL", "sid": "ORCL", "db_name": "ORCL", "name": "ORCL", "ssl_required": "true"
    });
    let mysql = json!({
        "uri": "mysql://u:p@m.example:3306/app", "username": "u", "password": "p", "host": "m.example", "port": "3306",
        "db_name": "app", "name": "app"
    });
    for credentials in [oracle, mysql] {
        let entry = json!({"name": "db", "label": "aws-rds", "tags": ["database", "RDS", "postgres"], "credentials": credentials});
        let bound = services(&json!({"aws-rds": [entry]}));
        assert!(matches!(bound.postgres(None), Err(CloudFoundryError::NotBound { .. })));
        let refused = bound.postgres(Some("db")).unwrap_err();
        assert!(matches!(refused, CloudFoundryError::Unusable { .. }), "{refused}");
        assert!(refused.to_string().contains("must begin with postgres://"), "{refused}");
    }
    assert!(only(&json!({"uri": "postgres://u@d"})).redis(Some("it")).is_err());
    assert!(only(&json!({"uri": "redis://r"})).postgres(Some("it")).is_err());
}
