use std::{fmt, net::Ipv6Addr};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Binding, Reason, ServiceKind, Uri, uri::read_port};

/// Where a bound service is and how to log in to it.
#[derive(Clone)]
pub(super) struct Endpoint {
    /// How the service is called in messages.
    service: String,
    /// That of its URI, in lower case; empty if it has none.
    pub(super) scheme: String,
    user: Option<String>,
    password: Option<String>,
    host: String,
    pub(super) port: u16,
    pub(super) database: Option<String>,
    /// What its URI has after the question mark.
    pub(super) query: Option<String>,
}

impl Endpoint {
    /// What the URI says, and where it says nothing what the other credentials say.
    pub(super) fn new(binding: &Binding, kind: ServiceKind) -> Result<Self, Reason> {
        let uri = match &binding.uris()[..] {
            [] => Uri::default(),
            uris => {
                let ours = |uri: &&String| uri.split_once("://").is_some_and(|(scheme, _)| kind.has_scheme(scheme));
                Uri::parse(uris.iter().find(ours).ok_or(kind.wrong_scheme())?)?
            }
        };
        let host = uri.host.or_else(|| binding.credential(&["host", "hostname"]));
        let host = host.ok_or("its credentials must have a uri with a host, or a host")?;
        if !is_host(&host) {
            return Err("its host must be a host name or an IP address and nothing else");
        }
        // A wrong one is an error even where the URI has one: then somebody edited one of the two.
        let port = binding
            .credential(&["port"])
            .filter(|port| !is_of_tls_alone(binding, kind, port));
        let port = port.map(|port| read_port(&port)).transpose()?;
        Ok(Self {
            service: binding.to_string(),
            scheme: uri.scheme,
            user: uri.user.or_else(|| binding.credential(&["username", "user"])),
            password: uri.password.or_else(|| binding.credential(&["password"])),
            host,
            port: uri.port.or(port).unwrap_or(kind.default_port()),
            database: uri.path.or_else(|| binding.credential(kind.database_keys())),
            query: uri.query,
        })
    }

    pub(super) const fn has_user(&self) -> bool {
        self.user.is_some()
    }

    /// All of it as a URL with this scheme.
    pub(super) fn url(&self, scheme: &str) -> String {
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let part =
            |before: &str, text: &Option<String>| text.as_deref().map(|text| format!("{before}{}", encode(text)));
        let user = part("", &self.user).unwrap_or_default();
        let password = part(":", &self.password).unwrap_or_default();
        let at = if user.is_empty() && password.is_empty() {
            ""
        } else {
            "@"
        };
        let server = self.server();
        let database = part("/", &self.database).unwrap_or_default();
        let query = self.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{scheme}://{user}{password}{at}{server}{database}{query}")
    }

    fn server(&self) -> String {
        let (host, port) = (&self.host, self.port);
        if host.contains(':') {
            format!("[{host}]:{port}")
        } else {
            format!("{host}:{port}")
        }
    }
}

/// Without user and database: a password in the wrong place would be seen there.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.service, self.server())
    }
}

/// Redis calls it port 0 if there is none without TLS; then there is a `tls_port`.
fn is_of_tls_alone(binding: &Binding, kind: ServiceKind, port: &str) -> bool {
    kind == ServiceKind::Redis && port == "0" && binding.credential(&["tls_port"]).is_some()
}

fn is_host(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    text.parse::<Ipv6Addr>().is_ok() || text.bytes().all(known)
}
