use std::{fs, path::Path};

use session_core::cloud_foundry::{BoundServices, CloudFoundryError};

use crate::{
    Failure,
    cli::{StoreArgs, variable},
};

/// What says where the sessions are to be kept.
pub(crate) enum Source {
    /// A URL: the one asked for, or the local `DATABASE_URL`. And what says so.
    Url { url: String, setting: &'static str },
    /// The services that the platform has bound to the app, as the environment tells of them.
    Bound(BoundServices),
    /// The services in a text that stands for that environment.
    Text { json: String, services: BoundServices },
    /// Nothing does.
    Nothing,
}

/// A file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the file {0:?} cannot be read")]
struct Unreadable(Box<Path>, #[source] std::io::Error);

impl Source {
    /// What was asked for; else the services that are bound to the app; else the local `DATABASE_URL`, which on Cloud
    /// Foundry is whichever database the platform met first.
    pub(crate) fn of(args: &StoreArgs) -> Result<Self, Failure> {
        if let Some(url) = args.url.clone() {
            let setting = "--store or STORE_URL";
            return Ok(Self::Url { url, setting });
        }
        match BoundServices::from_env() {
            Ok(services) => Ok(Self::Bound(services)),
            Err(CloudFoundryError::NotOnCloudFoundry) => Ok(Self::local()),
            Err(error) => Err(error.into()),
        }
    }

    fn local() -> Self {
        let setting = "DATABASE_URL";
        variable(setting).map_or(Self::Nothing, |url| Self::Url { url, setting })
    }

    /// The services in a file.
    pub(crate) fn in_file(path: &Path) -> Result<Self, Failure> {
        let json = fs::read_to_string(path).map_err(|source| Unreadable(path.into(), source))?;
        let services = BoundServices::parse(&json)?;
        Ok(Self::Text { json, services })
    }
}
