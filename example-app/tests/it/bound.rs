//! Services that Cloud Foundry has bound: in every shape that they come in, and in some that cannot work.

use std::{io::Write, net::TcpListener, path::Path, process::Command, thread};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::{
    browser::Browser,
    postgres_server,
    process::{Process, app},
    redis_server,
};

/// An authority of the tests' own, a certificate of its for `localhost` with the key, and the authority's file.
pub(crate) struct Authority {
    certificate: String,
    key: String,
    pub(crate) file: NamedTempFile,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, "the tests");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let parameters = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let file = NamedTempFile::new().unwrap();
        std::fs::write(&file, authority.pem()).unwrap();
        Self {
            certificate: parameters.signed_by(&key, &authority).unwrap().pem(),
            key: key.serialize_pem(),
            file,
        }
    }

    pub(crate) fn redis(&self) -> redis_server::Server {
        let tls = redis_server::Tls {
            certificate: self.certificate.clone(),
            key: self.key.clone(),
        };
        redis_server::Server::start_with(Some(&tls), &[])
    }

    pub(crate) fn postgres(&self) -> postgres_server::Server {
        postgres_server::Server::start_with(Some(&postgres_server::Tls {
            certificate: self.certificate.clone(),
            key: self.key.clone(),
        }))
    }
}

/// What the broker of cloud.gov binds for Redis; `scheme` is `redis` in bindings of before October 2025.
pub(crate) fn elasticache(name: &str, port: u16, scheme: &str) -> Value {
    let password = redis_server::PASSWORD;
    json!({
        "label": "aws-elasticache-redis", "provider": null, "plan": "redis-3node", "name": name,
        "tags": ["redis", "Elasticache", "AWS"], "instance_guid": "0c1e2f7b", "instance_name": name,
        "binding_guid": "57f1c62f", "binding_name": null,
        "credentials": {
            "current_redis_engine_version": "7.1", "port": port.to_string(), "password": password,
            "host": "localhost", "hostname": "localhost", "uri": format!("{scheme}://:{password}@localhost:{port}"),
        },
        "syslog_drain_url": null, "volume_mounts": [],
    })
}

/// What the broker of cloud.gov binds for PostgreSQL.
pub(crate) fn rds(port: u16) -> Value {
    let (user, password) = (postgres_server::USER, postgres_server::PASSWORD);
    json!({
        "label": "aws-rds", "provider": null, "plan": "micro-psql-redundant", "name": "session-postgres",
        "tags": ["database", "RDS"], "instance_guid": "2f7b0c1e", "instance_name": "session-example-db",
        "binding_guid": "6c1f2f57", "binding_name": "session-postgres",
        "credentials": {
            "db_name": "postgres", "name": "postgres", "host": "localhost", "port": port.to_string(),
            "username": user, "password": password,
            "uri": format!("postgres://{user}:{password}@localhost:{port}/postgres"),
            "replica_host": "replica.invalid", "replica_uri": "postgres://replica.invalid/postgres",
        },
        "syslog_drain_url": null, "volume_mounts": [],
    })
}

fn user_provided(name: &str, credentials: &Value) -> Value {
    json!({
        "label": "user-provided", "name": name, "tags": [], "instance_guid": "91d4b0aa", "instance_name": name,
        "binding_guid": "91d4b0ab", "binding_name": null, "credentials": credentials, "syslog_drain_url": "",
        "volume_mounts": [],
    })
}

/// The command that a platform runs, with these variables.
fn serve(variables: &[(&str, &str)]) -> Command {
    let mut command = app(["serve", "--port", "0"]);
    command.envs(variables.iter().copied());
    command.env("VCAP_APPLICATION", r#"{"application_name": "example-app"}"#);
    command
}

/// Two instances with these variables share a login.
async fn shares_logins(variables: &[(&str, &str)]) {
    let instances: Vec<_> = ["0", "1"]
        .map(|index| {
            let mut process = Process::start(serve(variables).env("CF_INSTANCE_INDEX", index));
            let address = process.line_after("listens on ");
            assert!(
                address.starts_with("http://0.0.0.0:"),
                "for whoever balances: {address}"
            );
            (process, address)
        })
        .into();
    for (_, address) in &instances {
        crate::ready::until_ready(address).await;
    }
    let browser = Browser::new();
    let login = format!("{}/login", instances[0].1);
    browser.post_form(&login, "name=ada&password=engine").await;
    let me = browser.get(&format!("{}/api/me", instances[1].1)).await.json();
    assert_eq!((&me["user"], &me["instance"]), (&"ada".into(), &"1".into()));
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test]
async fn a_redis_of_cloud_gov_is_used_with_tls_whatever_its_uri_says() {
    let authority = Authority::new();
    let server = authority.redis();
    for scheme in ["rediss", "redis"] {
        let services = json!({"aws-elasticache-redis": [elasticache("session-redis", server.port(), scheme)]});
        let ca_file = ("SESSION_CA_FILE", text(authority.file.path()));
        shares_logins(&[("VCAP_SERVICES", &services.to_string()), ca_file]).await;
    }
}

#[tokio::test]
async fn a_postgres_of_cloud_gov_is_used_with_a_verified_certificate() {
    let authority = Authority::new();
    let server = authority.postgres();
    let services = json!({"aws-rds": [rds(server.port())]}).to_string();
    let ca_file = ("SESSION_CA_FILE", text(authority.file.path()));
    // DATABASE_URL is what the platform makes of it, and is not looked at.
    let other = ("DATABASE_URL", "postgres://nobody@nowhere.invalid/none");
    shares_logins(&[("VCAP_SERVICES", &services), ca_file, other]).await;

    // Without the authority.
    is_told_at_last(&[("VCAP_SERVICES", &services)], "--ca-file or SESSION_CA_FILE");
    shares_logins(&[("VCAP_SERVICES", &services), ("SESSION_ACCEPT_ANY_CERTIFICATE", "true")]).await;
}

#[test]
fn a_redis_whose_certificate_is_not_trusted_is_told() {
    let server = Authority::new().redis();
    let services = json!({"aws-elasticache-redis": [elasticache("session-redis", server.port(), "rediss")]});
    is_told_at_last(
        &[("VCAP_SERVICES", &services.to_string())],
        "--ca-file or SESSION_CA_FILE",
    );
}

#[tokio::test]
async fn of_several_services_the_one_that_is_named_is_used() {
    let (redis, postgres) = (redis_server::Server::start(), postgres_server::Server::start());
    let (user, password) = (postgres_server::USER, postgres_server::PASSWORD);
    let services = json!({
        "user-provided": [
            user_provided("session-secrets", &json!({"SESSION_KEYS": "base64"})),
            user_provided("cache", &json!({"uri": "redis://cache.invalid"})),
            user_provided("sessions", &json!({"url": redis.url()})),
            user_provided("database", &json!({
                "uri": format!("postgresql://{user}:{password}@127.0.0.1/postgres"), "port": postgres.port(),
            })),
        ],
    });
    let services = services.to_string();
    // Its name says which one it is, and so of which kind.
    for name in ["sessions", "database"] {
        shares_logins(&[("VCAP_SERVICES", &services), ("SESSION_SERVICE", name)]).await;
    }
    let both = [("SESSION_BACKEND", "redis"), ("SESSION_SERVICE", "sessions")];
    shares_logins(&[("VCAP_SERVICES", &services), both[0], both[1]]).await;

    let file = NamedTempFile::new().unwrap();
    std::fs::write(&file, &services).unwrap();
    let path = ("VCAP_SERVICES_FILE_PATH", text(file.path()));
    shares_logins(&[
        path,
        ("VCAP_SERVICES", "not looked at"),
        ("SESSION_BACKEND", "postgres"),
    ])
    .await;
}

#[test]
fn what_cannot_be_used_is_told_in_one_sentence() {
    let redis = |name| elasticache(name, 6379, "rediss");
    let two = json!({"aws-elasticache-redis": [redis("one"), redis("two")]});
    let both = json!({"aws-elasticache-redis": [redis("one")], "aws-rds": [rds(5432)]});
    let mut no_host = redis("one");
    no_host["credentials"] = json!({"password": redis_server::PASSWORD});
    let mut bad_port = redis("one");
    bad_port["credentials"]["port"] = "70000".into();
    let ssl_mode = json!({"user-provided": [
        user_provided("it", &json!({"uri": "postgres://a:geheim@db.invalid/x?sslmode=verify"})),
    ]});
    let mysql = json!({
        "aws-rds": [{"label": "aws-rds", "name": "other", "credentials": {"uri": "mysql2://a:geheim@db.invalid/x"}}],
    });
    for (services, expected) in [
        ("{".to_owned(), "VCAP_SERVICES"),
        ("[]".to_owned(), "VCAP_SERVICES"),
        ("{}".to_owned(), "bound"),
        (mysql.to_string(), "other"),
        (two.to_string(), "two"),
        (both.to_string(), "SESSION_BACKEND"),
        (json!({"aws-elasticache-redis": [no_host]}).to_string(), "host"),
        (json!({"aws-elasticache-redis": [bad_port]}).to_string(), "port"),
        (ssl_mode.to_string(), "verify-ca, verify-full"),
    ] {
        is_told(&[("VCAP_SERVICES", &services)], expected);
    }
    is_told(
        &[("VCAP_SERVICES_FILE_PATH", "/nowhere/vcap_services")],
        "/nowhere/vcap_services",
    );
    is_told(&[], "VCAP_SERVICES");

    let services = json!({"aws-elasticache-redis": [redis("one")]}).to_string();
    let services = ("VCAP_SERVICES", &*services);
    let no_certificate = NamedTempFile::new().unwrap();
    for (name, value, expected) in [
        ("SESSION_CA_FILE", "/nowhere/ca.pem", "/nowhere/ca.pem"),
        ("SESSION_CA_FILE", text(no_certificate.path()), "certificate"),
        ("SESSION_PREFIX", "my-app", "my-app"),
    ] {
        is_told(&[services, (name, value)], expected);
        is_told(&[services, (name, value)], name);
    }
}

#[test]
fn a_database_that_is_another_kind_of_server_is_told() {
    let services = json!({"aws-rds": [rds(greeter())]}).to_string();
    is_told_at_last(&[("VCAP_SERVICES", &services)], "another kind of server");
}

/// The port of a server that speaks first, as MySQL does.
fn greeter() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut guest in listener.incoming().flatten() {
            let _gone = guest.write_all(b"\x4a\0\0\0\x0a8.0.36\0");
        }
    });
    port
}

#[tokio::test]
async fn a_variable_without_a_value_is_as_good_as_none() {
    let server = redis_server::Server::start();
    let services = json!({"user-provided": [user_provided("it", &json!({"uri": server.url()}))]}).to_string();
    let empty = [
        "HTTPS",
        "IDLE_TIMEOUT",
        "MAX_SESSIONS",
        "SESSION_ACCEPT_ANY_CERTIFICATE",
        "SESSION_BACKEND",
        "SESSION_CA_FILE",
        "SESSION_CONNECTIONS",
        "SESSION_PREFIX",
        "SESSION_SERVICE",
        "STORE_TIMEOUT",
        "STORE_URL",
        "TRUSTED_HOPS",
        "RUST_LOG",
    ];
    let mut variables = vec![("VCAP_SERVICES", &*services)];
    variables.extend(empty.map(|name| (name, "")));
    shares_logins(&variables).await;
    let mut elsewhere = app(["serve", "--port", "0"]);
    for name in ["CF_INSTANCE_GUID", "CF_INSTANCE_INDEX", "DATABASE_URL"] {
        elsewhere.env(name, "");
    }
    let mut process = Process::start(&mut elsewhere);
    let listens = process.line_with("listens on ");
    assert!(
        !listens.contains("instance  ") && listens.contains(" http://127.0.0.1:"),
        "{listens}"
    );
}

/// It is told before anything is served.
#[track_caller]
fn is_told(variables: &[(&str, &str)], expected: &str) {
    let lines = is_told_at_last(variables, expected);
    assert_eq!(lines.len(), 1, "{lines:?}");
}

/// It is told in the last line, when the store has been asked; what it says in all.
#[track_caller]
fn is_told_at_last(variables: &[(&str, &str)], expected: &str) -> Vec<String> {
    let ended = Process::start(&mut serve(variables)).end();
    let lines: Vec<String> = ended.errors.lines().map(str::to_owned).collect();
    assert!(!ended.succeeded, "{variables:?}: {ended:?}");
    let last = lines.last().unwrap();
    assert!(
        last.starts_with("error: ") && last.contains(expected),
        "{expected}: {lines:?}"
    );
    for secret in [redis_server::PASSWORD, postgres_server::PASSWORD, "geheim"] {
        assert!(!lines.iter().any(|line| line.contains(secret)), "{lines:?}");
    }
    lines
}
