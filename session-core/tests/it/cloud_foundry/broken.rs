//! What cannot be used is refused in a sentence that says which service it is and what to do.

use serde_json::{Value, json};
use session_core::cloud_foundry::{BoundServices, CloudFoundryError};

use super::{BOUND, chain, only, services};

/// The one sentence about the service `it`.
fn unusable<T: std::fmt::Debug>(found: Result<T, CloudFoundryError>) -> String {
    let refused = found.unwrap_err();
    assert!(matches!(refused, CloudFoundryError::Unusable { .. }), "{refused}");
    let text = chain(&refused);
    assert!(text.contains(r#""it" (user-provided) cannot be used as"#), "{text}");
    assert!(text.contains(" must "), "{text}");
    text
}

#[test]
fn only_an_object_will_do() {
    for json in [
        "",
        "no",
        "{",
        "[]",
        "null",
        "1",
        "\"geheim\"",
        r#"{"a": [}"#,
        "\u{feff}{}",
        r#"{"geheim": geheim}"#,
    ] {
        let refused = BoundServices::parse(json).unwrap_err();
        assert!(matches!(refused, CloudFoundryError::Malformed { .. }), "{json}");
        let text = chain(&refused);
        assert!(
            text.contains("must be a JSON object") && !text.contains("geheim"),
            "{text}"
        );
    }
    assert!(BoundServices::parse(&"[".repeat(100_000)).is_err());
}

#[test]
fn a_port_is_a_whole_number_from_1_to_65535() {
    for port in [
        json!("0"),
        json!("70000"),
        json!("abc"),
        json!(1.5),
        json!(-1),
        json!(true),
        json!([1]),
        json!({}),
    ] {
        for credentials in [
            json!({"uri": "redis://r.example", "port": port}),
            json!({"uri": "redis://r.example:6379", "port": port}),
            json!({"uri": "redis://r.example", "tls_port": port}),
        ] {
            let text = unusable(only(&credentials).redis(None));
            assert!(
                text.contains("its port must be a whole number from 1 to 65535"),
                "{text}"
            );
        }
    }
    for uri in [
        "redis://r:0",
        "redis://r:70000",
        "redis://r:abc",
        "redis://r:1:2",
        "redis://[::1]x",
        "redis://:geheim",
    ] {
        unusable(only(&json!({"uri": uri})).redis(None));
    }
    let edited = BOUND.replace(r#""port": "6379""#, r#""port": "six""#);
    assert!(BoundServices::parse(&edited).unwrap().redis(None).is_err());
}

#[test]
fn a_port_that_is_not_told_is_the_usual_one() {
    for port in [json!(null), json!("")] {
        let bound = only(&json!({"uri": "redis://r.example", "port": port}));
        assert_eq!(bound.redis(None).unwrap().url(), "redis://r.example:6379");
    }
}

#[test]
fn there_must_be_a_host_and_nothing_else_in_its_place() {
    let none: [Value; 4] = [
        json!({"uri": "redis://"}),
        json!({"uri": "redis://:p@"}),
        json!({"uri": "redis://:p@:6379/0"}),
        json!({"uri": "redis:///0", "host": null, "hostname": ""}),
    ];
    for credentials in none {
        let text = unusable(only(&credentials).redis(None));
        assert!(text.contains("a uri with a host, or a host"), "{text}");
    }
    for host in [
        json!("r.example:6379"),
        json!("redis://r.example"),
        json!("a b"),
        json!(["r"]),
        json!("ä.example"),
    ] {
        let text = unusable(only(&json!({"host": host})).redis(Some("it")));
        assert!(text.contains("its host must be"), "{text}");
    }
    unusable(only(&json!({"uri": "redis://a.example,b.example"})).redis(None));
    let bare = services(&json!({"redis": [{"name": "it"}]})).redis(None).unwrap_err();
    assert!(matches!(bare, CloudFoundryError::Unusable { .. }), "{bare}");
}

#[test]
fn a_password_that_was_not_encoded_is_told_and_not_shown() {
    for password in ["ge/heim", "ge?heim", "ge#heim", "1/heim", "1#heim"] {
        let redis = unusable(only(&json!({"uri": format!("redis://:{password}@r.example:6379")})).redis(None));
        let postgres = only(&json!({"uri": format!("postgres://app:{password}@d.example/app")}));
        for text in [redis, unusable(postgres.postgres(None))] {
            assert!(text.contains("%2F") && !text.contains("heim"), "{text}");
        }
    }
    unusable(only(&json!({"uri": "redis://:%ff@r.example"})).redis(None));
}

#[test]
fn what_a_server_needs_must_be_there() {
    for database in ["app", "-1", "0.5"] {
        let text = unusable(only(&json!({"uri": format!("redis://r.example/{database}")})).redis(None));
        assert!(text.contains("its database must be a number"), "{text}");
    }
    let text = unusable(only(&json!({"uri": "postgres://d.example/app"})).postgres(None));
    assert!(text.contains("a uri with a user, or a username"), "{text}");
    // Known by its tag alone, so that its URI can be told to be none.
    let bound =
        json!({"x": [{"name": "it", "label": "user-provided", "tags": ["redis"], "credentials": {"uri": "r"}}]});
    assert!(unusable(services(&bound).redis(None)).contains("must begin with redis://"));
}
