use session_core::{Error, cloud_foundry::BoundRedis};

use crate::RedisOptions;

/// The settings that lead to the Redis that Cloud Foundry bound to the app.
///
/// Several apps may share a service of cloud.gov, so each takes a [prefix](RedisOptions::key_prefix) of its own.
///
/// ```no_run
/// use session_core::cloud_foundry::BoundServices;
/// use session_redis::{RedisOptions, RedisStore};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let services = BoundServices::from_env()?;
/// let options = RedisOptions::try_from(services.redis(None)?)?.key_prefix("web");
/// let store = RedisStore::connect(options).await?;
/// # Ok(())
/// # }
/// ```
impl TryFrom<BoundRedis> for RedisOptions {
    type Error = Error;

    fn try_from(bound: BoundRedis) -> Result<Self, Error> {
        Self::from_url(&bound.url())
    }
}

#[cfg(test)]
mod tests {
    use session_core::cloud_foundry::BoundServices;

    use super::*;

    fn options(json: &str) -> RedisOptions {
        let services = BoundServices::parse(json).unwrap();
        services.redis(None).unwrap().try_into().unwrap()
    }

    #[test]
    fn a_server_of_cloud_gov_is_reached_by_tls() {
        let options = options(
            r#"{"aws-elasticache-redis": [{"label": "aws-elasticache-redis", "name": "session-redis", "credentials": {
                "host": "redis.example", "port": "6379", "password": "geheim", "uri": "redis://:geheim@redis.example:6379"
            }}]}"#,
        );
        assert_eq!(
            (options.topology.to_string(), options.tls),
            ("redis.example:6379".to_owned(), true)
        );
        assert_eq!(
            (options.login.username(), options.login.password()),
            (None, Some("geheim"))
        );
        assert!(!format!("{options:?}").contains("geheim"));
    }

    #[test]
    fn a_server_of_ones_own_is_reached_as_its_credentials_say() {
        let options = options(
            r#"{"user-provided": [{"label": "user-provided", "name": "it", "tags": ["redis"], "credentials": {
                "hostname": "::1", "port": 7000, "user": "ü", "password": "ge/heim:%41@#", "database": "2"
            }}]}"#,
        );
        assert_eq!(
            (options.topology.to_string(), options.tls),
            ("[::1]:7000".to_owned(), false)
        );
        assert_eq!((options.login.username(), options.login.db()), (Some("ü"), 2));
        assert_eq!(options.login.password(), Some("ge/heim:%41@#"));
    }
}
