//! Properties: no input panics, no secret is told, and a URL that is given leads to where it says.

use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Value, json};
use session_core::cloud_foundry::{BoundServices, CloudFoundryError};

use super::{BOUND, chain, only};

/// What occurs in each secret made here, and nowhere else.
const SECRET: &str = "geheim";

/// All that can be seen of what is found in this text.
fn seen(json: &str) -> String {
    let services = match BoundServices::parse(json) {
        Ok(services) => services,
        Err(error) => return told(&error),
    };
    let mut seen = format!("{services:?}");
    for name in [
        None,
        Some("a"),
        Some("b"),
        Some("session-redis"),
        Some("session-postgres"),
    ] {
        for found in [
            services.redis(name).map(|it| format!("{it:?}")),
            services.postgres(name).map(|it| format!("{it:?}")),
        ] {
            seen += &found.unwrap_or_else(|error| told(&error));
        }
    }
    seen
}

fn told(error: &CloudFoundryError) -> String {
    format!("{error:?} {}", chain(error))
}

fn secret() -> impl Strategy<Value = String> {
    "[ -~ä]{0,3}".prop_map(|odd| format!("{SECRET}{odd}{SECRET}"))
}

fn uri() -> impl Strategy<Value = String> {
    let scheme = select(vec![
        "redis://",
        "rediss://",
        "postgres://",
        "postgresql://",
        "mysql://",
        "jdbc:",
        "",
    ]);
    let user = select(vec!["", "app", "app:"]);
    let rest = select(vec!["", "h", "h:1", "h:0/1", "[::1]:1", "h/app?a=b", ",/#?@"]);
    (scheme, user, secret(), rest).prop_map(|(scheme, user, secret, rest)| format!("{scheme}{user}:{secret}@{rest}"))
}

fn credential() -> impl Strategy<Value = (String, Value)> {
    let odd = select(vec![
        json!(null),
        json!(""),
        json!(true),
        json!(1.5),
        json!(6379),
        json!("6379"),
        json!([]),
        json!({}),
    ]);
    let harmless = [
        "host", "hostname", "port", "tls_port", "username", "user", "name", "uri", "url", "tls",
    ];
    let secrets = [
        "password",
        "uri",
        "url",
        "port",
        "tls_port",
        "user",
        "name",
        "replica_uri",
        "other",
    ];
    prop_oneof![
        (select(harmless.map(str::to_owned).to_vec()), odd),
        (
            select(secrets.map(str::to_owned).to_vec()),
            secret().prop_map(Value::from)
        ),
        (
            select(vec!["uri".to_owned(), "url".to_owned(), "host".to_owned()]),
            uri().prop_map(Value::from)
        ),
        Just(("host".to_owned(), json!("h.example"))),
    ]
}

fn binding() -> impl Strategy<Value = Value> {
    let names = option::of(select(vec!["a", "b"]));
    let tags = option::of(select(vec!["redis", "Postgres", "other"]));
    (names.clone(), names, tags, vec(credential(), 0..8)).prop_map(|(name, instance, tag, credentials)| {
        let credentials: serde_json::Map<_, _> = credentials.into_iter().collect();
        json!({"name": name, "instance_name": instance, "tags": [tag], "credentials": credentials})
    })
}

fn bound() -> impl Strategy<Value = Value> {
    let label = select(vec!["aws-rds", "aws-elasticache-redis", "user-provided", "redis"]);
    vec((label, vec(binding(), 0..3)), 0..3).prop_map(|services| {
        services
            .into_iter()
            .map(|(label, bindings)| (label.to_owned(), json!(bindings)))
            .collect()
    })
}

proptest! {
    #[test]
    fn no_text_panics(text in ".*") {
        seen(&text);
    }

    #[test]
    fn no_uri_panics(kind in select(vec!["redis", "postgres"]), rest in ".*") {
        let bound = only(&json!({"uri": format!("{kind}://{rest}")}));
        seen(&format!("{:?} {:?}", bound.redis(None), bound.postgres(None)));
    }

    #[test]
    fn no_secret_is_told(bound in bound()) {
        let seen = seen(&bound.to_string());
        prop_assert!(!seen.contains(SECRET), "{seen}");
    }

    #[test]
    fn damage_to_real_bindings_panics_nowhere_and_tells_nothing(at in 0..BOUND.len(), put in ".{0,2}", skip in 0_usize..40) {
        // It is ASCII, so it can be cut anywhere.
        let damaged = format!("{}{put}{}", &BOUND[..at], &BOUND[(at + skip).min(BOUND.len())..]);
        let cut = &BOUND[..at];
        for json in [&*damaged, cut] {
            let seen = seen(json);
            for secret in ["MixedCase00", "25Alpha", "alphanumerics0", "25lower", "base64"] {
                prop_assert!(!seen.contains(secret), "{seen}");
            }
        }
    }

    #[test]
    fn what_is_given_in_parts_is_what_the_url_says(user in ".+", password in ".*", name in ".*", port in 1_u16..) {
        let parts = json!({"host": "db.example", "port": port, "user": user, "password": password, "name": name});
        let url = only(&parts).postgres(Some("it")).unwrap().url();
        prop_assert_eq!(&only(&json!({"uri": url})).postgres(None).unwrap().url(), &url);
        let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned();
        let (login, rest) = url.strip_prefix("postgres://").unwrap().split_once('@').unwrap();
        let (its_user, its_password) = login.split_once(':').unwrap_or((login, ""));
        prop_assert_eq!((decode(its_user), decode(its_password)), (user, password));
        let (server, its_name) = rest.split_once('/').unwrap_or((rest, ""));
        prop_assert_eq!((server.to_owned(), decode(its_name)), (format!("db.example:{port}"), name));
    }
}
