//! What Cloud Foundry bound to the app: what is found, what is refused, and that nothing tells a secret.

mod broken;
mod choice;
mod secrets;
mod shapes;

use std::error::Error as StdError;

use serde_json::{Value, json};
use session_core::cloud_foundry::{BoundServices, CloudFoundryError};

/// A database, a Redis and a user-provided service, as cloud.gov binds them.
const BOUND: &str = include_str!("bound.json");

fn services(value: &Value) -> BoundServices {
    BoundServices::parse(&value.to_string()).unwrap()
}

/// A user-provided service of this name.
fn provided(name: &str, credentials: &Value) -> Value {
    json!({
        "label": "user-provided", "name": name, "tags": [], "instance_name": name, "binding_name": null,
        "credentials": credentials, "syslog_drain_url": "", "volume_mounts": []
    })
}

fn only(credentials: &Value) -> BoundServices {
    services(&json!({"user-provided": [provided("it", credentials)]}))
}

/// The URL of the Redis there is.
fn redis(services: &BoundServices) -> String {
    services.redis(None).unwrap().url()
}

/// The URL of the PostgreSQL there is.
fn postgres(services: &BoundServices) -> String {
    services.postgres(None).unwrap().url()
}

/// An error and what caused it.
fn chain(error: &CloudFoundryError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
