use super::{Binding, Endpoint, Reason, ServiceKind, uri::read_port};

/// The label of cloud.gov's Redis. Its servers speak TLS alone, and bindings older than October 2025 say `redis://`.
pub(super) const ELASTICACHE: &str = "aws-elasticache-redis";

/// A Redis or Valkey server that is bound to the app.
///
/// `RedisStore::connect` takes it, and so does `RedisOptions::try_from`, with the feature `cloud-foundry` of
/// `session-redis`. `Debug` shows the service, the host and the port, and nothing else of its credentials.
#[derive(Clone, Debug)]
pub struct BoundRedis {
    endpoint: Endpoint,
    tls: bool,
}

impl BoundRedis {
    pub(super) fn new(binding: &Binding) -> Result<Self, Reason> {
        let mut endpoint = Endpoint::new(binding, ServiceKind::Redis)?;
        if endpoint
            .database
            .as_ref()
            .is_some_and(|number| number.parse::<u16>().is_err())
        {
            return Err("its database must be a number");
        }
        // It means options of some client, not of the server.
        endpoint.query = None;
        let tls_port = binding
            .credential(&["tls_port"])
            .map(|port| read_port(&port))
            .transpose()?;
        let tls = binding.label() == ELASTICACHE
            || ["rediss", "valkeys"].contains(&&*endpoint.scheme)
            || binding.credential(&["tls"]).is_some_and(|tls| tls == "true")
            || tls_port.is_some();
        endpoint.port = tls_port.unwrap_or(endpoint.port);
        Ok(Self { endpoint, tls })
    }

    /// Where the server is and how to log in to it: `rediss://…` with TLS, `redis://…` without.
    ///
    /// It holds the password, so it belongs into no log.
    #[must_use]
    pub fn url(&self) -> String {
        self.endpoint.url(if self.tls { "rediss" } else { "redis" })
    }
}
