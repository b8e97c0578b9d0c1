//! No `VCAP_SERVICES` panics, and the URL of what is found there leads to the same again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::json;
use session_core::cloud_foundry::BoundServices;

fuzz_target!(|json: &str| {
    let Ok(services) = BoundServices::parse(json) else {
        return;
    };
    for name in [
        None,
        Some("session-redis"),
        Some("session-postgres"),
        Some("session-secrets"),
    ] {
        let (redis, postgres) = (services.redis(name), services.postgres(name));
        let _shown = format!("{redis:?} {postgres:?}");
        if let Ok(url) = redis.map(|redis| redis.url()) {
            assert_eq!(at(&url).redis(None).expect("it was a URL").url(), url);
        }
        if let Ok(url) = postgres.map(|postgres| postgres.url()) {
            assert_eq!(at(&url).postgres(None).expect("it was a URL").url(), url);
        }
    }
});

/// One service, at this URL.
fn at(url: &str) -> BoundServices {
    let services = json!({"user-provided": [{"credentials": {"uri": url}}]});
    BoundServices::parse(&services.to_string()).expect("it is an object")
}
