use std::{
    fmt::{self, Display},
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use session_core::{Error, NearCache};
use sqlx::{
    ConnectOptions,
    postgres::{PgConnectOptions, PgSslMode},
};

/// The parameter that says how TLS is to be used, by both of its names.
const SSL_MODE: [&str; 2] = ["sslmode", "ssl-mode"];
const SSL_MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/// What certificates in PEM begin with.
const CERTIFICATE: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// The settings of a [`PostgresStore`](crate::PostgresStore).
///
/// ```
/// use session_postgres::PostgresOptions;
/// use std::time::Duration;
///
/// let options = PostgresOptions::from_url("postgres://app:secret@db.example/app")?
///     .schema("web_session")
///     .command_timeout(Duration::from_millis(500));
/// assert!(!format!("{options:?}").contains("secret"));
/// # Ok::<(), session_core::Error>(())
/// ```
#[derive(Clone)]
pub struct PostgresOptions {
    server: PgConnectOptions,
    /// Whether the URL, the environment or the app says how TLS is to be used.
    tls_is_set: bool,
    ca_file: Option<PathBuf>,
    pub(crate) schema: String,
    pub(crate) connections: usize,
    pub(crate) near_cache: Option<u64>,
    pub(crate) near_cache_lease: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) command_timeout: Duration,
}

impl PostgresOptions {
    /// The settings in a URL, `postgres://user:password@host:port/database`; `postgresql://` is the same.
    ///
    /// The parameters `sslmode`, `sslrootcert`, `sslcert`, `sslkey`, `host` (also the folder of a unix socket),
    /// `application_name` and `options` mean what they mean to libpq. What the URL leaves out is taken from the
    /// environment (`PGUSER`, `PGPASSWORD` and so on).
    ///
    /// Without `sslmode`, a server that is not on this machine must show a certificate that is valid for its name
    /// (`verify-full`): the default of libpq, `prefer`, would send the password and the sessions unencrypted to
    /// whoever answers. On this machine `prefer` it is, unless there is a [`ca_file`](Self::ca_file).
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if it is no such URL; its source says why, without the URL.
    pub fn from_url(url: &str) -> Result<Self, Error> {
        match url.split_once("://") {
            Some(("postgres" | "postgresql", _)) => {}
            // Anything else may be a part of a password.
            Some((scheme, _)) if scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                let message = format!("a PostgreSQL URL begins with postgres://, and this one with {scheme}://");
                return Err(Error::lasting(message));
            }
            _ => {
                return Err(Error::lasting(
                    "a PostgreSQL URL begins with postgres://, and this one does not",
                ));
            }
        }
        if !ends_its_password(url) {
            return Err(Error::lasting(
                "a PostgreSQL URL has no # and, in the name of the database, no @: a password has %23, %2F, %3F and %40 for \
                 #, /, ? and @",
            ));
        }
        if let Some(mode) = parameter(url, &SSL_MODE)
            && !SSL_MODES.contains(&mode)
        {
            let modes = SSL_MODES.join(", ");
            return Err(Error::lasting(format!(
                "the sslmode of a PostgreSQL URL is one of {modes}"
            )));
        }
        let server = PgConnectOptions::from_str(url).map_err(unusable)?;
        // The URL has brackets around an IPv6 address, and a resolver knows none.
        let host = server.get_host().trim_matches(['[', ']']).to_owned();
        Ok(Self {
            server: server.host(&host),
            tls_is_set: parameter(url, &SSL_MODE).is_some() || std::env::var_os("PGSSLMODE").is_some(),
            ca_file: None,
            schema: "session".to_owned(),
            connections: 5,
            near_cache: None,
            near_cache_lease: NearCache::LEASE,
            connect_timeout: Duration::from_secs(2),
            command_timeout: Duration::from_secs(1),
        })
    }

    /// The schema that holds the tables: 1 to 63 characters of `a-z`, `0-9` and `_`, no digit first. `session` unless
    /// set. [`PostgresStore::migrate`](crate::PostgresStore::migrate) makes it.
    #[must_use]
    pub fn schema(mut self, name: impl Into<String>) -> Self {
        self.schema = name.into();
        self
    }

    /// A file with certificates of authorities, in PEM, that are trusted besides the system's. None unless set.
    #[must_use]
    pub fn ca_file(mut self, path: impl AsRef<Path>) -> Self {
        self.ca_file = Some(path.as_ref().to_owned());
        self
    }

    /// Encrypts the connection and verifies nothing, whatever else is set: `sslmode=require`.
    ///
    /// Whoever can divert the connection then reads the password and the sessions. A [`ca_file`](Self::ca_file) with
    /// the authority of the server's certificate is better; this is for the time until there is one.
    #[must_use]
    pub fn accept_any_certificate(mut self) -> Self {
        self.server = self.server.ssl_mode(PgSslMode::Require);
        self.tls_is_set = true;
        self
    }

    /// The most connections to the server, at least 2. They are opened when they are needed. 5 unless set.
    ///
    /// One of them listens to what happens to sessions elsewhere, once somebody waits for the end of one. The others
    /// are for statements, each of which serves all requests that wait for one: more of them are of little use.
    #[must_use]
    pub fn connections(mut self, most: usize) -> Self {
        self.connections = most.max(2);
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
    /// responses have the cookie. All instances must run a version that knows near caches, so an app that runs sets it
    /// in the deploy after. It takes effect a command timeout after the connection that listens is there, and never
    /// behind a pooler that lends connections for a transaction, for nothing is heard there.
    #[must_use]
    pub const fn near_cache(mut self, max_bytes: u64) -> Self {
        self.near_cache = Some(max_bytes);
        self
    }

    /// How long the [near cache](Self::near_cache) may serve what another instance has changed, if the news of it are
    /// lost: 10 milliseconds to a second. [`NearCache::LEASE`], half a second, unless set.
    ///
    /// The server is asked three times as often for a sign of life on the connection that listens.
    #[must_use]
    pub const fn near_cache_lease(mut self, lease: Duration) -> Self {
        self.near_cache_lease = lease;
        self
    }

    /// How long opening a connection may take, TLS and authentication included. 2 seconds unless set.
    #[must_use]
    pub const fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// How long an operation may take in all: waiting for a connection, or for one to be opened, and for the answers.
    /// 1 second unless set.
    ///
    /// The server gives up on a statement that it has worked on for nine tenths of it. So it works on nothing that
    /// nobody waits for, and a statement that waits too long for a lock has a known outcome: not done. If much of the
    /// time went into waiting for a connection, the store gives up first, and the outcome is unknown.
    #[must_use]
    pub const fn command_timeout(mut self, limit: Duration) -> Self {
        self.command_timeout = limit;
        self
    }

    /// The server, to which a connection is then opened whose statements may take this long.
    pub(crate) fn server(&self, statement_timeout: Duration) -> PgConnectOptions {
        let mut server = self.server.clone().ssl_mode(self.tls()).disable_statement_logging();
        if let Some(path) = &self.ca_file {
            server = server.ssl_root_cert(path);
        }
        if server.get_application_name().is_none() {
            server = server.application_name("session-postgres");
        }
        let timeout = statement_timeout.as_millis().max(1);
        // All is found by an index, also in a table that has grown since the server looked at it last: so one plan
        // suits any number of ids, and planning takes longer than doing. No floats are read, and connection poolers
        // know no `extra_float_digits`.
        server
            .options([("statement_timeout", timeout)])
            .options([("enable_seqscan", "off"), ("enable_mergejoin", "off"), ("jit", "off")])
            .options([("plan_cache_mode", "force_generic_plan")])
            .extra_float_digits(None)
    }

    /// How the server is called in messages.
    pub(crate) fn address(&self) -> String {
        let (host, port) = (self.server.get_host(), self.server.get_port());
        match self.server.get_socket() {
            Some(folder) => format!("{}:{port}", folder.display()),
            None if host.contains(':') => format!("[{host}]:{port}"),
            None => format!("{host}:{port}"),
        }
    }

    pub(crate) fn user(&self) -> &str {
        self.server.get_username()
    }

    /// Checks what goes into the text of statements, and that the CA file is one.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if let Some(ca_file) = &self.ca_file {
            // The driver reads it with each connection. It does not say which file it misses, nor that there is nothing
            // in it.
            let path = ca_file.display();
            let unusable =
                |reason: &dyn Display| Error::lasting(format!("the CA file {path} cannot be used: {reason}"));
            let text = fs::read(ca_file).map_err(|reason| unusable(&reason))?;
            if !text.windows(CERTIFICATE.len()).any(|part| part == CERTIFICATE) {
                return Err(unusable(&"it has no certificate in PEM"));
            }
        }
        let name = self.schema.as_bytes();
        let begins_well = name.first().is_some_and(|first| !first.is_ascii_digit());
        let known = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        if begins_well && name.len() <= 63 && name.iter().all(known) {
            return Ok(());
        }
        Err(Error::lasting(format!(
            "{:?} cannot be the name of the schema: use 1 to 63 characters of a-z, 0-9 and _, no digit first",
            self.schema
        )))
    }

    fn tls(&self) -> PgSslMode {
        if !self.tls_is_set && (self.ca_file.is_some() || !self.is_on_this_machine()) {
            PgSslMode::VerifyFull
        } else {
            self.server.get_ssl_mode()
        }
    }

    /// Whether the server is reached by a unix socket.
    pub(crate) fn is_by_socket(&self) -> bool {
        self.server.get_socket().is_some() || self.server.get_host().starts_with('/')
    }

    fn is_on_this_machine(&self) -> bool {
        let host = self.server.get_host();
        self.is_by_socket() || host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    }
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions")
            .field("server", &self.address())
            .field("user", &self.user())
            .field("database", &self.server.get_database())
            .field("tls", &self.tls())
            .field("ca_file", &self.ca_file)
            .field("schema", &self.schema)
            .field("connections", &self.connections)
            .field("near_cache", &self.near_cache)
            .field("near_cache_lease", &self.near_cache_lease)
            .field("connect_timeout", &self.connect_timeout)
            .field("command_timeout", &self.command_timeout)
            .finish()
    }
}

impl FromStr for PostgresOptions {
    type Err = Error;

    fn from_str(url: &str) -> Result<Self, Error> {
        Self::from_url(url)
    }
}

impl TryFrom<&str> for PostgresOptions {
    type Error = Error;

    fn try_from(url: &str) -> Result<Self, Error> {
        Self::from_url(url)
    }
}

/// Whether no part of a password can be taken for what comes after it, and be shown.
fn ends_its_password(url: &str) -> bool {
    let (_, rest) = url.split_once("://").unwrap_or_default();
    let (place, _) = rest.split_once('?').unwrap_or((rest, ""));
    let (_, database) = place.split_once('/').unwrap_or_default();
    !url.contains('#') && !database.contains('@')
}

/// The value of the first parameter of a URL that has one of these names.
fn parameter<'a>(url: &'a str, names: &[&str]) -> Option<&'a str> {
    let (_, parameters) = url.split_once('?')?;
    let mut pairs = parameters.split('&').filter_map(|parameter| parameter.split_once('='));
    pairs.find(|(name, _)| names.contains(name)).map(|(_, value)| value)
}

/// What the driver has against a URL, without the words that it wraps around it, once or twice.
fn unusable(error: sqlx::Error) -> Error {
    match error {
        sqlx::Error::Configuration(reason) => match reason.downcast() {
            Ok(error) => unusable(*error),
            Err(reason) => Error::lasting(reason),
        },
        other => Error::lasting(other),
    }
}
