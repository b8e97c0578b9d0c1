use std::{ffi::OsString, fmt};

use serde_json::Value;

use super::{Binding, BoundPostgres, BoundRedis, CloudFoundryError, ServiceKind};

/// The services bound to the app, as the platform tells of them.
///
/// ```
/// use session_core::cloud_foundry::{BoundServices, CloudFoundryError};
///
/// let services = BoundServices::parse(
///     r#"{"aws-elasticache-redis": [{
///         "label": "aws-elasticache-redis", "name": "session-redis",
///         "credentials": {"host": "redis.example", "port": "6379", "password": "secret"}
///     }]}"#,
/// )?;
/// assert_eq!(services.redis(None)?.url(), "rediss://:secret@redis.example:6379");
/// assert!(matches!(services.postgres(None), Err(CloudFoundryError::NotBound { .. })));
/// # Ok::<(), CloudFoundryError>(())
/// ```
#[derive(Clone)]
pub struct BoundServices {
    bindings: Vec<Binding>,
}

impl BoundServices {
    /// The services in the file that `VCAP_SERVICES_FILE_PATH` names, else those in `VCAP_SERVICES`.
    ///
    /// `DATABASE_URL` is not read: the platform sets it from whichever database it meets first. An app may use it, or a
    /// setting of its own, where this is [`NotOnCloudFoundry`](CloudFoundryError::NotOnCloudFoundry), and only there: a
    /// binding that was forgotten should be heard of.
    ///
    /// ```
    /// use session_core::cloud_foundry::{BoundServices, CloudFoundryError};
    ///
    /// fn redis_url() -> Result<String, CloudFoundryError> {
    ///     match BoundServices::from_env() {
    ///         Err(CloudFoundryError::NotOnCloudFoundry) => Ok("redis://localhost".to_owned()),
    ///         services => Ok(services?.redis(None)?.url()),
    ///     }
    /// }
    /// # redis_url().unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`NotOnCloudFoundry`](CloudFoundryError::NotOnCloudFoundry) if neither is set, and
    /// [`NotDelivered`](CloudFoundryError::NotDelivered) if that is so on Cloud Foundry,
    /// [`Unreadable`](CloudFoundryError::Unreadable) if the file cannot be read, also where `VCAP_SERVICES` is set, and
    /// [`Malformed`](CloudFoundryError::Malformed) as for [`parse`](Self::parse).
    pub fn from_env() -> Result<Self, CloudFoundryError> {
        Self::from_variables(|name| std::env::var_os(name))
    }

    /// The services in the text of `VCAP_SERVICES`.
    ///
    /// What has another shape than expected is taken as missing; only the whole must be an object.
    ///
    /// # Errors
    ///
    /// [`Malformed`](CloudFoundryError::Malformed) if it is not a JSON object.
    pub fn parse(json: &str) -> Result<Self, CloudFoundryError> {
        Self::from_json(json.as_bytes())
    }

    /// The Redis or Valkey server to use: the service of this name, else the only one that is one.
    ///
    /// # Errors
    ///
    /// [`NotBound`](CloudFoundryError::NotBound) or [`Ambiguous`](CloudFoundryError::Ambiguous) if no service fits or
    /// several do, and [`Unusable`](CloudFoundryError::Unusable) if its credentials do not say where it is.
    pub fn redis(&self, name: Option<&str>) -> Result<BoundRedis, CloudFoundryError> {
        self.find(ServiceKind::Redis, name, BoundRedis::new)
    }

    /// The PostgreSQL database to use: the service of this name, else the only one that is one.
    ///
    /// # Errors
    ///
    /// [`NotBound`](CloudFoundryError::NotBound) or [`Ambiguous`](CloudFoundryError::Ambiguous) if no service fits or
    /// several do, and [`Unusable`](CloudFoundryError::Unusable) if its credentials do not say where it is.
    pub fn postgres(&self, name: Option<&str>) -> Result<BoundPostgres, CloudFoundryError> {
        self.find(ServiceKind::Postgres, name, BoundPostgres::new)
    }

    fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, CloudFoundryError> {
        if let Some(path) = variable("VCAP_SERVICES_FILE_PATH") {
            return match std::fs::read(&path) {
                Ok(json) => Self::from_json(&json),
                Err(source) => Err(CloudFoundryError::Unreadable {
                    path: path.into(),
                    source,
                }),
            };
        }
        match variable("VCAP_SERVICES") {
            Some(json) => Self::from_json(json.as_encoded_bytes()),
            None if variable("VCAP_APPLICATION").is_some() => Err(CloudFoundryError::NotDelivered),
            None => Err(CloudFoundryError::NotOnCloudFoundry),
        }
    }

    fn from_json(json: &[u8]) -> Result<Self, CloudFoundryError> {
        let malformed = |source| CloudFoundryError::Malformed { source };
        // Read as any JSON, since an error about a wrong type would quote the value.
        let services = serde_json::from_slice(json).map_err(|error| malformed(error.into()))?;
        let Value::Object(services) = services else {
            return Err(malformed("it is JSON, and not an object".into()));
        };
        let bindings = services.into_iter().flat_map(|(label, bindings)| match bindings {
            Value::Array(bindings) => bindings.into_iter().filter_map(|it| Binding::new(&label, it)).collect(),
            _ => Vec::new(),
        });
        Ok(Self {
            bindings: bindings.collect(),
        })
    }

    fn find<T>(
        &self,
        kind: ServiceKind,
        name: Option<&str>,
        read: impl FnOnce(&Binding) -> Result<T, super::Reason>,
    ) -> Result<T, CloudFoundryError> {
        let fits = |binding: &&Binding| match name {
            Some(name) => binding.is_called(name),
            None => binding.is(kind),
        };
        let found: Vec<_> = self.bindings.iter().filter(fits).collect();
        match found[..] {
            [] => Err(CloudFoundryError::NotBound {
                kind,
                name: name.map(str::to_owned),
                seen: self.bindings.iter().map(Binding::to_string).collect(),
            }),
            [binding] => read(binding).map_err(|reason| CloudFoundryError::Unusable {
                kind,
                service: binding.to_string(),
                reason,
            }),
            _ => Err(CloudFoundryError::Ambiguous {
                kind,
                name: name.map(str::to_owned),
                seen: found.into_iter().map(Binding::to_string).collect(),
            }),
        }
    }
}

impl fmt::Debug for BoundServices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoundServices ")?;
        f.debug_list().entries(&self.bindings).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = r#"{"redis": [{"name": "one", "credentials": {"host": "one.example"}}]}"#;

    fn from(variables: &[(&str, &str)]) -> Result<BoundServices, CloudFoundryError> {
        let value = |name: &str| variables.iter().find(|(known, _)| *known == name);
        BoundServices::from_variables(|name| value(name).map(|(_, value)| value.into()))
    }

    #[test]
    fn the_file_wins_over_the_variable() {
        let file = std::env::temp_dir().join(format!("vcap-services-{}", std::process::id()));
        std::fs::write(&file, ONE).unwrap();
        let read = from(&[
            ("VCAP_SERVICES", "{}"),
            ("VCAP_SERVICES_FILE_PATH", file.to_str().unwrap()),
        ]);
        std::fs::remove_file(&file).unwrap();
        assert_eq!(read.unwrap().redis(None).unwrap().url(), "redis://one.example:6379");
    }

    #[test]
    fn an_unreadable_file_is_an_error_whatever_the_variable_says() {
        for path in ["/no/such/file", "/", ""] {
            let refused = from(&[("VCAP_SERVICES", ONE), ("VCAP_SERVICES_FILE_PATH", path)]).unwrap_err();
            assert!(matches!(refused, CloudFoundryError::Unreadable { .. }), "{refused:?}");
            assert!(refused.to_string().contains(&format!("{path:?}")), "{refused}");
        }
    }

    #[test]
    fn without_a_file_the_variable_is_read() {
        assert!(from(&[("VCAP_SERVICES", ONE)]).unwrap().redis(None).is_ok());
        let refused = from(&[("VCAP_SERVICES", "")]).unwrap_err();
        assert!(matches!(refused, CloudFoundryError::Malformed { .. }), "{refused:?}");
    }

    #[test]
    fn without_both_it_is_not_cloud_foundry() {
        let elsewhere = from(&[("DATABASE_URL", "postgres://db/app"), ("REDIS_URL", "redis://redis")]);
        assert!(matches!(elsewhere, Err(CloudFoundryError::NotOnCloudFoundry)));
        let otherwise = from(&[
            ("VCAP_APPLICATION", "{}"),
            ("SERVICE_BINDING_ROOT", "/etc/cf-service-bindings"),
        ]);
        assert!(matches!(otherwise, Err(CloudFoundryError::NotDelivered)));
    }
}
