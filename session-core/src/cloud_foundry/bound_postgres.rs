use super::{Binding, Endpoint, Reason, ServiceKind};

/// The label of cloud.gov's databases, of PostgreSQL and of others.
const RDS: &str = "aws-rds";

/// A PostgreSQL database that is bound to the app.
///
/// `PostgresStore::connect` takes it, and so does `PostgresOptions::try_from`, with the feature `cloud-foundry` of
/// `session-postgres`. `Debug` shows the service, the host and the port, and nothing else of its credentials.
#[derive(Clone, Debug)]
pub struct BoundPostgres {
    endpoint: Endpoint,
}

impl BoundPostgres {
    pub(super) fn new(binding: &Binding) -> Result<Self, Reason> {
        let mut endpoint = Endpoint::new(binding, ServiceKind::Postgres)?;
        if !endpoint.has_user() {
            return Err("its credentials must have a uri with a user, or a username");
        }
        if binding.label() == RDS {
            endpoint.query = Some("sslmode=verify-full".to_owned());
        }
        Ok(Self { endpoint })
    }

    /// Where the database is and how to log in to it: `postgres://…`, with `sslmode=verify-full` if its label is
    /// `aws-rds`.
    ///
    /// It holds the password, so it belongs into no log.
    #[must_use]
    pub fn url(&self) -> String {
        self.endpoint.url("postgres")
    }
}
