use std::fmt;

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo};
use session_core::Error;

use crate::wire::Address;

/// Which servers there are, as far as a URL says.
#[derive(Clone)]
pub(crate) enum Topology {
    /// One server; or a node of a cluster, which it says itself.
    Server(Address),
    /// A primary, which sentinels name.
    Sentinel(Service),
    /// A cluster, some of whose nodes these are.
    Cluster(Vec<Address>),
}

/// What sentinels watch over.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) sentinels: Vec<Address>,
    /// How to log in to the sentinels.
    pub(crate) login: RedisConnectionInfo,
}

/// The form of URLs that name more than one server.
const SENTINEL_FORM: &str = "a Sentinel URL is redis-sentinel://[user:password@]host[:port],…/service[/database], and \
                             perhaps ?sentinel_password=… and &sentinel_username=…";
const CLUSTER_FORM: &str = "a Cluster URL is redis-cluster://[user:password@]host[:port],…, without a database";

/// What a URL says after its scheme: the servers, and how to log in there.
pub(crate) type Read = fn(&str) -> Result<(Topology, RedisConnectionInfo), Error>;

impl Topology {
    /// What comes after the scheme of a URL of one server, and how to log in there.
    pub(crate) fn of_server(rest: &str) -> Result<(Self, RedisConnectionInfo), Error> {
        // The driver has no TLS: it only reads the rest of the URL.
        let server = read_server(&format!("redis://{rest}"))?;
        let ConnectionAddr::Tcp(host, port) = server.addr() else {
            return Err(Error::lasting("a Redis URL names a host"));
        };
        let login = server.redis_settings().clone();
        Ok((Self::Server(Address::new(host, *port)), login))
    }

    /// The same of a URL of sentinels.
    pub(crate) fn of_sentinels(rest: &str) -> Result<(Self, RedisConnectionInfo), Error> {
        let parts = Parts::of(rest);
        let (name, database) = parts.path.split_once('/').unwrap_or((parts.path, ""));
        // A sentinel knows no others.
        let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_known) {
            return Err(Error::lasting(SENTINEL_FORM));
        }
        let (mut user, mut password) = (String::new(), String::new());
        for parameter in parts.query.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=') {
                Some(("sentinel_username", value)) => user = escape(value),
                Some(("sentinel_password", value)) => password = escape(value),
                _ => return Err(Error::lasting(SENTINEL_FORM)),
            }
        }
        let service = Service {
            name: name.to_owned(),
            sentinels: parts.addresses(26379, SENTINEL_FORM)?,
            login: read_login(&format!("{user}:{password}"), "")?,
        };
        let login = read_login(parts.user, database)?;
        Ok((Self::Sentinel(service), login))
    }

    /// The same of a URL of a cluster.
    pub(crate) fn of_cluster(rest: &str) -> Result<(Self, RedisConnectionInfo), Error> {
        let parts = Parts::of(rest);
        if !matches!(parts.path, "" | "0") || !parts.query.is_empty() {
            return Err(Error::lasting(CLUSTER_FORM));
        }
        let addresses = parts.addresses(6379, CLUSTER_FORM)?;
        Ok((Self::Cluster(addresses), read_login(parts.user, "")?))
    }

    /// The servers that are named.
    pub(crate) fn addresses(&self) -> &[Address] {
        match self {
            Self::Server(address) => std::slice::from_ref(address),
            Self::Sentinel(service) => &service.sentinels,
            Self::Cluster(addresses) => addresses,
        }
    }
}

/// How the servers are called in messages.
impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Sentinel(service) = self {
            write!(f, "{} by ", service.name)?;
        }
        for (i, address) in self.addresses().iter().enumerate() {
            write!(f, "{}{address}", if i == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

/// The parts of a URL that names several servers.
struct Parts<'a> {
    user: &'a str,
    hosts: &'a str,
    path: &'a str,
    query: &'a str,
}

impl<'a> Parts<'a> {
    fn of(rest: &'a str) -> Self {
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (server, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, hosts) = server.rsplit_once('@').unwrap_or(("", server));
        Self {
            user,
            hosts,
            path,
            query,
        }
    }

    fn addresses(&self, usual_port: u16, form: &'static str) -> Result<Vec<Address>, Error> {
        let addresses = self.hosts.split(',').map(|text| Address::read(text, usual_port));
        addresses.collect::<Result<_, _>>().map_err(|_| Error::lasting(form))
    }
}

fn read_login(user: &str, database: &str) -> Result<RedisConnectionInfo, Error> {
    let server = read_server(&format!("redis://{user}@host/{database}"))?;
    Ok(server.redis_settings().clone())
}

fn read_server(url: &str) -> Result<ConnectionInfo, Error> {
    url.into_connection_info().map_err(Error::lasting)
}

/// What may stand in a query and not before a host.
fn escape(value: &str) -> String {
    value.replace('/', "%2F").replace(':', "%3A").replace('@', "%40")
}
