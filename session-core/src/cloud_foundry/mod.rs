//! The services that Cloud Foundry bound to the app: which Redis, which PostgreSQL to use (feature `cloud-foundry`).
//!
//! The platform tells an app of its services in `VCAP_SERVICES`. A store takes what is found there if `session-redis`
//! or `session-postgres` has the feature `cloud-foundry` too: `RedisStore::connect(redis).await?`.
//!
//! ```no_run
//! use session_core::cloud_foundry::BoundServices;
//!
//! let redis = BoundServices::from_env()?.redis(None)?;
//! println!("sessions are kept in {redis:?}");
//! # Ok::<(), session_core::cloud_foundry::CloudFoundryError>(())
//! ```
//!
//! # Which service
//!
//! 1. A name, if one is given: that of the binding or of the service instance.
//! 2. Else the kind. A service is Redis by the label `aws-elasticache-redis`, and any service is what the scheme of its
//!    `uri` or `url` says: `redis`, `rediss`, `valkey` and `valkeys`, or `postgres` and `postgresql`. One without a URI
//!    is what its tags or its label say, `redis` or `valkey`, or `postgres` or `postgresql`.
//!
//! None and several are errors that name the services seen. The first one is never taken just for being first.
//!
//! # What it says
//!
//! The URI counts, and the other keys say what it leaves out: `host` or `hostname`, `port` as a number or a text,
//! `username` or `user`, `password`, and for the database `database`, `db_name` or `name`. So services of a broker and
//! those of `cf create-user-provided-service` will do alike. The address of a replica is never used: it lags behind.
//!
//! # TLS
//!
//! - A service labelled `aws-elasticache-redis` has TLS, also where an old binding's URI says `redis://`. Other Redis
//!   services have it with `rediss://`, with a `tls_port`, or with `"tls": true`.
//! - A service labelled `aws-rds` has TLS, and must show a certificate that is valid for its name. Others have what the
//!   URI's `sslmode` says, and without one what `PostgresOptions::from_url` makes of that.
//! - The authorities of Amazon RDS are among the system's on cloud.gov. If the one of your database is not, give
//!   Amazon's bundle to `PostgresOptions::ca_file`. Only `PostgresOptions::accept_any_certificate` does without
//!   verification.
//!
//! # Secrets
//!
//! No error names a value of the credentials, and no `Debug` shows a password or a URI.

mod binding;
mod bound_postgres;
mod bound_redis;
mod bound_services;
mod endpoint;
mod error;
mod service_kind;
mod uri;

use binding::Binding;
pub use bound_postgres::BoundPostgres;
pub use bound_redis::BoundRedis;
pub use bound_services::BoundServices;
use endpoint::Endpoint;
pub use error::CloudFoundryError;
pub use service_kind::ServiceKind;
use uri::Uri;

/// What is wrong with a service's credentials, and what to do. A text of ours, so it holds nothing of theirs.
type Reason = &'static str;
