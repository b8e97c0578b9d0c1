use std::net::SocketAddr;

use serde_json::json;

use super::variables::Variables;
use crate::{
    cli::{Backend, FleetArgs},
    span::Span,
    store::Source,
};

/// What all instances of a fleet are told: where their sessions are, and the fleet's own settings.
///
/// They are told by variables, which other users of the machine cannot read, and not by arguments, which they can.
pub(super) fn of_fleet(args: &FleetArgs, source: &Source) -> Variables {
    let mut variables = Variables::default();
    variables.set("HTTPS", args.cookies.https.to_string());
    variables.set_if("IDLE_TIMEOUT", args.sessions.idle_timeout.map(Span::written));
    variables.set_if("MAX_SESSIONS", args.sessions.max_sessions.map(|max| max.to_string()));
    match source {
        // An instance has a VCAP_APPLICATION, and looks at no DATABASE_URL.
        Source::Url { url, .. } => variables.set("STORE_URL", url),
        Source::Text { json, .. } => {
            variables.set("VCAP_SERVICES", json);
            variables.remove("STORE_URL");
            variables.remove("VCAP_SERVICES_FILE_PATH");
        }
        // It inherits them, or finds none either.
        Source::Bound(_) | Source::Nothing => {}
    }
    variables.set_if("SESSION_BACKEND", args.store.backend.map(Backend::name));
    variables.set_if("SESSION_SERVICE", args.store.service.as_ref());
    variables.set_if("SESSION_PREFIX", args.store.prefix.as_ref());
    variables.set_if("SESSION_CA_FILE", args.store.ca_file.as_ref());
    variables.set(
        "SESSION_ACCEPT_ANY_CERTIFICATE",
        args.store.accept_any_certificate.to_string(),
    );
    variables.set_if(
        "SESSION_CONNECTIONS",
        args.store.connections.map(|most| most.to_string()),
    );
    variables.set_if("SESSION_NEAR_CACHE", args.store.near_cache.map(|mib| mib.to_string()));
    variables.set_if("STORE_TIMEOUT", args.store.timeout.map(Span::written));
    variables
}

/// What a platform tells an instance of itself and of the app.
pub(super) fn of_instance(index: u32, guid: &str, front: SocketAddr) -> Variables {
    let application = json!({
        "application_id": "00000000-0000-4000-8000-000000000001",
        "application_name": "example-app",
        "application_uris": [front.to_string()],
        "name": "example-app",
        "uris": [front.to_string()],
        "instance_id": guid,
        "instance_index": index,
        "host": "127.0.0.1",
        "limits": { "mem": 128, "disk": 256, "fds": 16384 },
        "process_type": "web",
    });
    let mut variables = Variables::default();
    // A free one.
    variables.set("PORT", "0");
    // The balancer.
    variables.set("TRUSTED_HOPS", "1");
    variables.set("CF_INSTANCE_INDEX", index.to_string());
    variables.set("CF_INSTANCE_GUID", guid);
    variables.set("CF_INSTANCE_ADDR", format!("127.0.0.1:{}", front.port()));
    variables.set("VCAP_APPLICATION", application.to_string());
    variables
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use session_core::cloud_foundry::BoundServices;

    use super::*;
    use crate::cli::Cli;

    /// What the instances of a fleet with these arguments are told.
    fn told(arguments: &[&str], source: &Source) -> Variables {
        let cli = Cli::try_parse_from(["example-app"].iter().chain(arguments)).unwrap();
        of_fleet(&cli.fleet, source)
    }

    fn services() -> BoundServices {
        BoundServices::parse("{}").unwrap()
    }

    #[test]
    fn an_instance_is_told_what_its_fleet_was_told() {
        let all = told(
            &[
                "--https",
                "--idle-timeout=8m",
                "--max-sessions=3",
                "--backend=postgres",
                "--service=sessions",
                "--ca-file=ca.pem",
                "--accept-any-certificate",
                "--connections=3",
                "--near-cache=16",
                "--prefix=shop",
                "--store-timeout=5s",
            ],
            &Source::Bound(services()),
        );
        for (name, value) in [
            ("HTTPS", "true"),
            ("IDLE_TIMEOUT", "480000ms"),
            ("MAX_SESSIONS", "3"),
            ("SESSION_BACKEND", "postgres"),
            ("SESSION_SERVICE", "sessions"),
            ("SESSION_CA_FILE", "ca.pem"),
            ("SESSION_ACCEPT_ANY_CERTIFICATE", "true"),
            ("SESSION_CONNECTIONS", "3"),
            ("SESSION_NEAR_CACHE", "16"),
            ("SESSION_PREFIX", "shop"),
            ("STORE_TIMEOUT", "5000ms"),
        ] {
            assert_eq!(all.get(name), Some(Some(value.as_ref())), "{name}");
        }
        // Bound services are inherited.
        for name in ["STORE_URL", "VCAP_SERVICES", "VCAP_SERVICES_FILE_PATH"] {
            assert_eq!(all.get(name), None, "{name}");
        }
    }

    #[test]
    fn an_instance_finds_the_store_that_its_fleet_found() {
        let url = "redis://:secret@redis.example";
        let by_url = told(
            &[],
            &Source::Url {
                url: url.to_owned(),
                setting: "--store",
            },
        );
        assert_eq!(by_url.get("STORE_URL"), Some(Some(url.as_ref())));

        let json = "{}".to_owned();
        let by_file = told(
            &[],
            &Source::Text {
                json,
                services: services(),
            },
        );
        assert_eq!(by_file.get("VCAP_SERVICES"), Some(Some("{}".as_ref())));
        for other in ["STORE_URL", "VCAP_SERVICES_FILE_PATH"] {
            assert_eq!(by_file.get(other), Some(None), "{other} would win");
        }

        assert!(!format!("{by_url:?}").contains("secret"), "{by_url:?}");
    }
}
