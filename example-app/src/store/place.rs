use session_core::{
    Error, MemoryStore,
    cloud_foundry::{BoundServices, CloudFoundryError},
};
use session_postgres::{PostgresOptions, PostgresStore};
use session_redis::{RedisOptions, RedisStore};

use super::{
    Source, Store,
    check::{check_ca_file, check_prefix},
};
use crate::{
    Failure,
    cli::{Backend, StoreArgs},
    span::Span,
};

/// Where the sessions are to be kept.
#[derive(Debug)]
pub(crate) enum Place {
    Memory,
    Postgres(Box<PostgresOptions>),
    Redis(Box<RedisOptions>),
}

/// A setting that names no store.
#[derive(Debug, thiserror::Error)]
enum BadStore {
    #[error("{setting}: {what}; use memory, redis://…, rediss://… or postgres://…")]
    Unknown { setting: &'static str, what: String },

    #[error("{setting} cannot be used")]
    Unusable {
        setting: &'static str,
        #[source]
        why: Error,
    },
}

/// Why no bound service can be chosen.
#[derive(Debug, thiserror::Error)]
enum NoChoice {
    #[error(
        "a Redis and a PostgreSQL service are bound: say which one keeps the sessions with SESSION_BACKEND=redis or \
         SESSION_BACKEND=postgres"
    )]
    TwoBackends,

    #[error(
        "the service {0:?} would do as Redis and as PostgreSQL: say which it is with SESSION_BACKEND=redis or \
         SESSION_BACKEND=postgres"
    )]
    EitherBackend(String),

    #[error("{as_redis}; {as_postgres}")]
    NeitherBackend {
        as_redis: CloudFoundryError,
        as_postgres: CloudFoundryError,
    },
}

impl Place {
    pub(crate) fn of(source: &Source, args: &StoreArgs) -> Result<Self, Failure> {
        let place = match source {
            Source::Url { url, setting } => Self::at(url, setting),
            Source::Bound(services) | Source::Text { services, .. } => {
                Self::bound(services, args.service.as_deref(), args.backend)
            }
            Source::Nothing => Ok(Self::Memory),
        };
        args.prefix.as_deref().map_or(Ok(()), check_prefix)?;
        args.ca_file.as_deref().map_or(Ok(()), check_ca_file)?;
        Ok(place?.with(args))
    }

    /// The store that a URL names. Nothing of the URL is told: there may be a password in it.
    fn at(url: &str, setting: &'static str) -> Result<Self, Failure> {
        let unusable = |why| BadStore::Unusable { setting, why };
        let what = match url.split_once("://").map(|(scheme, _)| scheme) {
            None if url == "memory" => return Ok(Self::Memory),
            Some("postgres" | "postgresql") => {
                let options = PostgresOptions::from_url(url).map_err(unusable)?;
                return Ok(Self::Postgres(Box::new(options)));
            }
            Some(scheme) if is_of_redis(scheme) => {
                let options = RedisOptions::from_url(url).map_err(unusable)?;
                return Ok(Self::Redis(Box::new(options)));
            }
            // Anything but letters may be part of a password.
            Some(scheme) if scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                format!("there is no store for {scheme}://")
            }
            _ => "the store is no URL".to_owned(),
        };
        Err(BadStore::Unknown { setting, what }.into())
    }

    /// The bound service of this name, this kind, or both; the only one, if neither is given.
    fn bound(services: &BoundServices, name: Option<&str>, backend: Option<Backend>) -> Result<Self, Failure> {
        let backend = backend.map_or_else(|| only_backend(services, name), Ok)?;
        Ok(match backend {
            Backend::Redis => Self::Redis(Box::new(services.redis(name)?.try_into()?)),
            Backend::Postgres => Self::Postgres(Box::new(services.postgres(name)?.try_into()?)),
        })
    }

    /// The same place, reached as the arguments say.
    fn with(self, args: &StoreArgs) -> Self {
        // What is left to the layer and the stores has this proportion too.
        let timeouts = args.timeout.map(|Span(limit)| (limit, limit / 2));
        let near_cache = args.near_cache.map(|mib| u64::from(mib) << 20);
        match self {
            Self::Memory => Self::Memory,
            Self::Postgres(mut options) => {
                if let Some(prefix) = &args.prefix {
                    *options = options.schema(prefix);
                }
                if let Some(path) = &args.ca_file {
                    *options = options.ca_file(path);
                }
                if args.accept_any_certificate {
                    tracing::warn!("no certificate of PostgreSQL is verified: whoever diverts a connection reads it");
                    *options = options.accept_any_certificate();
                }
                if let Some(most) = args.connections {
                    *options = options.connections(most.into());
                }
                if let Some(bytes) = near_cache {
                    *options = options.near_cache(bytes);
                }
                if let Some((connect, command)) = timeouts {
                    *options = options.connect_timeout(connect).command_timeout(command);
                }
                Self::Postgres(options)
            }
            Self::Redis(mut options) => {
                if let Some(prefix) = &args.prefix {
                    *options = options.key_prefix(prefix);
                }
                if let Some(path) = &args.ca_file {
                    *options = options.ca_file(path);
                }
                if let Some(bytes) = near_cache {
                    *options = options.near_cache(bytes);
                }
                if let Some((connect, command)) = timeouts {
                    *options = options.connect_timeout(connect).command_timeout(command);
                }
                Self::Redis(options)
            }
        }
    }

    /// The store, which connects when it is first used.
    pub(crate) fn open(self) -> Result<Store, Error> {
        Ok(match self {
            Self::Memory => Store::Memory(MemoryStore::new()),
            Self::Postgres(options) => Store::Postgres(PostgresStore::new(*options)?),
            Self::Redis(options) => Store::Redis(RedisStore::new(*options)?),
        })
    }

    /// The store, which has answered: for those who cannot wait for it.
    pub(crate) async fn connect(self) -> Result<Store, Error> {
        Ok(match self {
            Self::Memory => Store::Memory(MemoryStore::new()),
            Self::Postgres(options) => Store::Postgres(PostgresStore::connect(*options).await?),
            Self::Redis(options) => Store::Redis(RedisStore::connect(*options).await?),
        })
    }
}

/// Whether URLs of this scheme lead to Redis: to one server, to sentinels or to a cluster.
fn is_of_redis(scheme: &str) -> bool {
    let (engine, kind) = scheme.split_once(['-', '+']).unwrap_or((scheme, ""));
    matches!(engine, "redis" | "rediss" | "valkey" | "valkeys") && matches!(kind, "" | "sentinel" | "cluster")
}

/// Which backend it is, if nobody says and the services leave one only.
fn only_backend(services: &BoundServices, name: Option<&str>) -> Result<Backend, Failure> {
    use CloudFoundryError::{NotBound, Unusable};

    // A service that has the name is of one kind, and then no use as the other one.
    let is_no_other =
        |error: &_| matches!(error, NotBound { .. }) || name.is_some() && matches!(error, Unusable { .. });
    match (services.redis(name), services.postgres(name)) {
        (Ok(_), Ok(_)) => Err(name
            .map_or(NoChoice::TwoBackends, |name| NoChoice::EitherBackend(name.to_owned()))
            .into()),
        (Ok(_), Err(error)) if is_no_other(&error) => Ok(Backend::Redis),
        (Err(error), Ok(_)) if is_no_other(&error) => Ok(Backend::Postgres),
        (Err(as_redis @ Unusable { .. }), Err(as_postgres @ Unusable { .. })) if name.is_some() => {
            Err(NoChoice::NeitherBackend { as_redis, as_postgres }.into())
        }
        (Err(NotBound { .. }), Err(error)) | (Err(error), _) | (_, Err(error)) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    #[test]
    fn an_unknown_store_is_refused_with_the_known_ones_and_no_password() {
        for url in [
            "mysql://app:secret@host/db",
            "secret",
            "",
            "redis:secret",
            "a:secret@b://c",
        ] {
            let Err(error) = Place::at(url, "DATABASE_URL") else {
                panic!("{url}")
            };
            let text = error.to_string();
            assert!(text.starts_with("DATABASE_URL: "), "{text}");
            assert!(text.contains("memory, redis://…, rediss://… or postgres://…"), "{text}");
            assert!(!text.contains("secret"), "{text}");
        }
    }

    #[test]
    fn a_place_is_reached_as_the_arguments_say() {
        let with = |url, arguments: &[&str]| {
            let first = ["example-app", "migrate", "--store", url];
            let all = first.into_iter().chain(arguments.iter().copied());
            let Some(Command::Migrate(args)) = Cli::try_parse_from(all).unwrap().command else {
                panic!("{arguments:?}")
            };
            let place = Place::of(&Source::of(&args).unwrap(), &args);
            place.map_or_else(|error| error.to_string(), |place| format!("{place:?}"))
        };
        let (redis, postgres) = ("redis://r.example", "postgres://db.example");
        let cache = "near_cache: Some(3145728)";
        let all = [
            "--prefix=shop",
            "--connections=3",
            "--accept-any-certificate",
            "--near-cache=3",
        ];
        for part in ["schema: \"shop\"", "connections: 3", "tls: Require", cache] {
            assert!(with(postgres, &all).contains(part), "{part}");
            assert!(!with(postgres, &[]).contains(part), "{part}");
        }
        for part in ["key_prefix: \"shop\"", cache] {
            assert!(with(redis, &all).contains(part), "{part}");
        }
        for (url, servers) in [
            (
                "redis-sentinel://s1.example,s2.example/main",
                "main by s1.example:26379,s2.example:26379",
            ),
            (
                "rediss-cluster://n1.example,n2.example:7000",
                "n1.example:6379,n2.example:7000",
            ),
        ] {
            assert!(with(url, &all).contains(servers), "{url}");
        }
        for prefix in ["", "Shop", "1st", "a-b", &"x".repeat(64)] {
            for url in [redis, postgres, "memory"] {
                let refused = with(url, &["--prefix", prefix]);
                assert!(refused.contains("SESSION_PREFIX"), "{prefix:?}: {refused}");
            }
        }
    }

    /// What is chosen by a name, a backend or both.
    fn chosen(name: Option<&str>, backend: Option<Backend>) -> Result<Place, String> {
        let services = r#"{"user-provided": [
            {"name": "cache", "credentials": {"uri": "redis://cache.example"}},
            {"name": "database", "credentials": {"uri": "postgres://app:secret@db.example/app"}},
            {"name": "either", "credentials": {"host": "either.example", "user": "app", "password": "secret"}},
            {"name": "neither", "credentials": {"uri": "postgres://app:secret@db.example:port/app"}}
        ]}"#;
        let services = BoundServices::parse(services).unwrap();
        let place = Place::bound(&services, name, backend);
        place.map_err(|error| error.to_string())
    }

    #[test]
    fn the_name_of_a_service_suffices_if_it_can_be_one_thing_only() {
        assert!(matches!(chosen(Some("cache"), None), Ok(Place::Redis(_))));
        assert!(matches!(chosen(Some("database"), None), Ok(Place::Postgres(_))));
        assert!(matches!(
            chosen(Some("either"), Some(Backend::Redis)),
            Ok(Place::Redis(_))
        ));
        assert!(matches!(
            chosen(Some("either"), Some(Backend::Postgres)),
            Ok(Place::Postgres(_))
        ));
        for (name, backend, reasons) in [
            (Some("either"), None, &["\"either\"", "SESSION_BACKEND"][..]),
            (Some("neither"), None, &["redis://", "its port must be"]),
            (Some("nowhere"), None, &["named \"nowhere\""]),
            (Some("cache"), Some(Backend::Postgres), &["begin with postgres://"]),
            (Some("database"), Some(Backend::Redis), &["begin with redis://"]),
            (None, None, &["more than one", "PostgreSQL"]),
        ] {
            let refused = chosen(name, backend).unwrap_err();
            assert!(reasons.iter().all(|reason| refused.contains(reason)), "{refused}");
            assert!(!refused.contains("secret"), "{refused}");
        }
    }
}
