use std::{error::Error as StdError, path::PathBuf};

use super::ServiceKind;

/// Why the service to use is not known. It never holds a value of the credentials.
///
/// Services are named as in `"session-redis" (aws-elasticache-redis)`: the name, then the label.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CloudFoundryError {
    /// Several services fit.
    #[error(
        "more than one {} is bound to this app, and one must be chosen by a name that no other has: {}",
        wanted(*.kind, .name.as_deref()),
        .seen.join(", ")
    )]
    Ambiguous {
        /// What was looked for.
        kind: ServiceKind,
        /// The name it was to have, if one was given.
        name: Option<String>,
        /// The services that fit.
        seen: Vec<String>,
    },

    /// The bound services cannot be read, as what names them is not a JSON object.
    #[error("VCAP_SERVICES, or the file that VCAP_SERVICES_FILE_PATH names, must be a JSON object")]
    Malformed {
        /// What it is instead.
        source: Box<dyn StdError + Send + Sync>,
    },

    /// No service fits.
    #[error(
        "no {} is bound to this app, which has {}: use `cf bind-service` and restage, or name the one to use",
        wanted(*.kind, .name.as_deref()),
        if .seen.is_empty() { "no services".to_owned() } else { .seen.join(", ") }
    )]
    NotBound {
        /// What was looked for.
        kind: ServiceKind,
        /// The name it was to have, if one was given.
        name: Option<String>,
        /// All services that are bound.
        seen: Vec<String>,
    },

    /// This is Cloud Foundry, by `VCAP_APPLICATION`, and neither `VCAP_SERVICES` nor `VCAP_SERVICES_FILE_PATH` is set.
    #[error(
        "the services are in neither VCAP_SERVICES nor VCAP_SERVICES_FILE_PATH: switch the app's feature \
         service-binding-k8s off and restage"
    )]
    NotDelivered,

    /// Neither `VCAP_SERVICES` nor `VCAP_SERVICES_FILE_PATH` is set, nor is `VCAP_APPLICATION`, so this is not Cloud
    /// Foundry.
    #[error("neither VCAP_SERVICES nor VCAP_SERVICES_FILE_PATH is set: this does not run on Cloud Foundry")]
    NotOnCloudFoundry,

    /// The file that `VCAP_SERVICES_FILE_PATH` names cannot be read.
    #[error("the file {path:?}, named by VCAP_SERVICES_FILE_PATH, cannot be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },

    /// The service to use does not say how to reach it.
    #[error("the bound service {service} cannot be used as {kind}: {reason}")]
    Unusable {
        /// What it was to be used as.
        kind: ServiceKind,
        /// The service.
        service: String,
        /// What is wrong with its credentials, and how it has to be.
        reason: &'static str,
    },
}

fn wanted(kind: ServiceKind, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("service named {name:?}"),
        None => format!("{kind} service"),
    }
}
