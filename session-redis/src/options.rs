use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use redis::{ProtocolVersion, RedisConnectionInfo};
use session_core::{Error, NearCache};

use crate::{
    connection::Replicas,
    servers::{Read, Topology},
};

/// The settings of a [`RedisStore`](crate::RedisStore).
///
/// ```
/// use session_redis::RedisOptions;
/// use std::time::Duration;
///
/// let options = RedisOptions::from_url("rediss://app:secret@redis.example/1")?
///     .key_prefix("web")
///     .command_timeout(Duration::from_millis(500));
/// assert!(!format!("{options:?}").contains("secret"));
/// # Ok::<(), session_core::Error>(())
/// ```
#[derive(Clone)]
pub struct RedisOptions {
    pub(crate) topology: Topology,
    pub(crate) tls: bool,
    /// User, password and database.
    pub(crate) login: RedisConnectionInfo,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) key_prefix: String,
    pub(crate) near_cache: Option<u64>,
    pub(crate) near_cache_lease: Duration,
    pub(crate) replicas: Option<Replicas>,
    pub(crate) connect_timeout: Duration,
    pub(crate) command_timeout: Duration,
}

impl RedisOptions {
    /// The settings in a URL.
    ///
    /// | URL | what there is |
    /// |---|---|
    /// | `redis://user:password@host:port/database` | one server; or a node of a cluster, which tells the others |
    /// | `redis-sentinel://user:password@host:port,host:port/service/database` | a primary that sentinels name |
    /// | `redis-cluster://user:password@host:port,host:port` | a cluster, some of whose nodes are named |
    ///
    /// All but hosts and service may be left out; the port is then 6379, that of a sentinel 26379, the database 0. A
    /// cluster has only that one. `rediss://`, `rediss-sentinel://` and `rediss-cluster://` ask for TLS, with sentinels
    /// too. `valkey` and `valkeys` will do as well as `redis` and `rediss`, and a `+` as well as the `-`.
    ///
    /// User and password are those of the servers with the data. Sentinels that want a login get the one in
    /// `?sentinel_password=…&sentinel_username=…`, where the user may be left out.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if it is no such URL; its source says why, without the URL.
    pub fn from_url(url: &str) -> Result<Self, Error> {
        let Some((scheme, rest)) = url.split_once("://") else {
            let message = "a Redis URL begins with redis:// or rediss://, and this one does not";
            return Err(Error::lasting(message));
        };
        let (engine, kind) = scheme.split_once(['-', '+']).unwrap_or((scheme, ""));
        let tls = match engine {
            "redis" | "valkey" => Some(false),
            "rediss" | "valkeys" => Some(true),
            _ => None,
        };
        let read = match kind {
            "" => Some(Topology::of_server as Read),
            "sentinel" => Some(Topology::of_sentinels as _),
            "cluster" => Some(Topology::of_cluster as _),
            _ => None,
        };
        let (Some(tls), Some(read)) = (tls, read) else {
            // Anything but letters may be a part of a password.
            let message = if scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) {
                format!("a Redis URL begins with redis:// or rediss://, and this one with {scheme}://")
            } else {
                "a Redis URL begins with redis://, redis-sentinel:// or redis-cluster://, or with rediss and the same, \
                 and this one does not"
                    .to_owned()
            };
            return Err(Error::lasting(message));
        };
        if rest.contains('#') {
            let message = "a Redis URL has no part after #: certificates are always verified, and a # in a password \
                           is written %23";
            return Err(Error::lasting(message));
        }
        let (topology, login) = read(rest)?;
        Ok(Self {
            topology,
            tls,
            login: login.set_protocol(ProtocolVersion::RESP2),
            ca_file: None,
            key_prefix: "session".to_owned(),
            near_cache: None,
            near_cache_lease: NearCache::LEASE,
            replicas: None,
            connect_timeout: Duration::from_secs(2),
            command_timeout: Duration::from_secs(1),
        })
    }

    /// What the names of all keys begin with, before a colon: 1 to 64 characters of `A-Z`, `a-z`, `0-9`, `_`, `.`, `:`
    /// and `-`. `session` unless set.
    #[must_use]
    pub fn key_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.key_prefix = prefix.into();
        self
    }

    /// A file with certificates of authorities, in PEM, that are trusted besides the system's. None unless set.
    #[must_use]
    pub fn ca_file(mut self, path: impl AsRef<Path>) -> Self {
        self.ca_file = Some(path.as_ref().to_owned());
        self
    }

    /// Keeps sessions that this instance has read near it, in about so many bytes at most, and reads them again without
    /// asking the server. Off unless set.
    ///
    /// Each instance hears of what others change, about a millisecond later; and if a notification is lost, it serves
    /// nothing that is older than the [lease](Self::near_cache_lease). A browser always sees what it wrote itself: a
    /// cookie leads its requests past the near caches of other instances for that time. But what another instance has
    /// ended, a logout among it, may be read for so long. Without it, never.
    ///
    /// An instance that is to have none, beside others that do, says `near_cache(0)`: it keeps nothing, and its
    /// responses have the cookie. So an app that runs sets it in two deploys. The server's user must be allowed to say
    /// `CLIENT TRACKING`; else nothing is served.
    #[must_use]
    pub const fn near_cache(mut self, max_bytes: u64) -> Self {
        self.near_cache = Some(max_bytes);
        self
    }

    /// How long the [near cache](Self::near_cache) may serve what another instance has changed, if the news of it are
    /// lost: 10 milliseconds to a second. [`NearCache::LEASE`], half a second, unless set.
    ///
    /// The server is asked three times as often for a sign of life.
    #[must_use]
    pub const fn near_cache_lease(mut self, lease: Duration) -> Self {
        self.near_cache_lease = lease;
        self
    }

    /// Acknowledges what a failover must not undo only when so many replicas have it: logins, renewals, and ends, a
    /// logout among them. None unless set: Redis replicates after it has answered.
    ///
    /// They go over a connection of their own, to each primary, on which `WAIT` follows them, and what comes while one
    /// is under way shares the next. So each takes up to twice `within` longer, and nothing else does. If fewer
    /// replicas have it by then the answer is [`Error::Unknown`]: it is done, and a failover may undo it. `within` is
    /// at least a millisecond.
    ///
    /// A replica has it in its memory then. Sentinels and a cluster choose the replica that has most, of those they can
    /// reach; so it is sure only if all replicas have it. In a cluster each primary needs as many. Updates of a
    /// session's data are not waited for: a failover may forget the last of them.
    ///
    /// ```
    /// use session_redis::RedisOptions;
    /// use std::time::Duration;
    ///
    /// let options = RedisOptions::from_url("redis-sentinel://s1.example,s2.example,s3.example/main")?
    ///     .wait_for_replicas(1, Duration::from_millis(200));
    /// # Ok::<(), session_core::Error>(())
    /// ```
    #[must_use]
    pub const fn wait_for_replicas(mut self, number: u32, within: Duration) -> Self {
        self.replicas = Some(Replicas { number, within });
        self
    }

    /// How long connecting may take, TLS and authentication included. 2 seconds unless set.
    #[must_use]
    pub const fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// How long the answer to a command may take. 1 second unless set.
    #[must_use]
    pub const fn command_timeout(mut self, limit: Duration) -> Self {
        self.command_timeout = limit;
        self
    }

    /// Checks what goes into the names of keys.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let prefix = self.key_prefix.as_bytes();
        let known = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(byte);
        if (1..=64).contains(&prefix.len()) && prefix.iter().all(known) {
            return Ok(());
        }
        Err(Error::lasting(format!(
            "{:?} cannot be the prefix of keys: use 1 to 64 characters of A-Z, a-z, 0-9, _, ., : and -",
            self.key_prefix
        )))
    }
}

impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions")
            .field("servers", &format_args!("{}", self.topology))
            .field("user", &self.login.username())
            .field("database", &self.login.db())
            .field("tls", &self.tls)
            .field("ca_file", &self.ca_file)
            .field("key_prefix", &self.key_prefix)
            .field("near_cache", &self.near_cache)
            .field("near_cache_lease", &self.near_cache_lease)
            .field("replicas", &self.replicas)
            .field("connect_timeout", &self.connect_timeout)
            .field("command_timeout", &self.command_timeout)
            .finish()
    }
}

impl FromStr for RedisOptions {
    type Err = Error;

    fn from_str(url: &str) -> Result<Self, Error> {
        Self::from_url(url)
    }
}

impl TryFrom<&str> for RedisOptions {
    type Error = Error;

    fn try_from(url: &str) -> Result<Self, Error> {
        Self::from_url(url)
    }
}
