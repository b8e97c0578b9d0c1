use session_core::{Error, cloud_foundry::BoundPostgres};

use crate::PostgresOptions;

/// The settings that lead to the database that Cloud Foundry bound to the app.
///
/// A database of `aws-rds` must show a certificate that is valid for its name. If its authority is not among the
/// system's, give Amazon's bundle to [`ca_file`](PostgresOptions::ca_file). What the credentials leave out is taken
/// from the environment, as by [`from_url`](PostgresOptions::from_url).
///
/// ```no_run
/// use session_core::cloud_foundry::BoundServices;
/// use session_postgres::{PostgresOptions, PostgresStore};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let services = BoundServices::from_env()?;
/// let options = PostgresOptions::try_from(services.postgres(None)?)?.ca_file("certs/us-gov-west-1-bundle.pem");
/// let store = PostgresStore::connect(options).await?;
/// # Ok(())
/// # }
/// ```
impl TryFrom<BoundPostgres> for PostgresOptions {
    type Error = Error;

    fn try_from(bound: BoundPostgres) -> Result<Self, Error> {
        Self::from_url(&bound.url())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use session_core::cloud_foundry::BoundServices;
    use sqlx::ConnectOptions;

    use super::*;

    fn options(json: &str) -> PostgresOptions {
        let services = BoundServices::parse(json).unwrap();
        services.postgres(None).unwrap().try_into().unwrap()
    }

    #[test]
    fn a_database_of_cloud_gov_must_show_a_valid_certificate() {
        let options = options(
            r#"{"aws-rds": [{"label": "aws-rds", "name": "session-postgres", "credentials": {
                "uri": "postgres://app:geheim@localhost:5433/shop?sslmode=disable"
            }}]}"#,
        );
        let shown = format!("{options:?}");
        for part in ["localhost:5433", "\"app\"", "\"shop\"", "VerifyFull"] {
            assert!(shown.contains(part), "{shown}");
        }
        assert!(!shown.contains("geheim"), "{shown}");
        let encrypted = format!("{:?}", options.ca_file("ca.pem").accept_any_certificate());
        assert!(encrypted.contains("Require"), "{encrypted}");
    }

    #[test]
    fn a_password_arrives_as_it_is() {
        let options = options(
            r#"{"user-provided": [{"tags": ["postgres"], "credentials": {
                "host": "db.example", "user": "app", "password": "ge/heim:%41@#"
            }}]}"#,
        );
        let url = options.server(Duration::ZERO).to_url_lossy();
        assert_eq!(url.password(), Some("ge%2Fheim%3A%2541%40%23"));
    }

    #[test]
    fn a_database_of_ones_own_is_reached_as_its_credentials_say() {
        let options = options(
            r#"{"user-provided": [{"label": "user-provided", "name": "it", "tags": ["postgres"], "credentials": {
                "hostname": "2001:db8::1", "port": 5433, "user": "ü", "password": "geheim", "name": "my shop"
            }}]}"#,
        );
        let shown = format!("{options:?}");
        for part in ["[2001:db8::1]:5433", "\"ü\"", "\"my shop\"", "VerifyFull"] {
            assert!(shown.contains(part), "{shown}");
        }
    }
}
