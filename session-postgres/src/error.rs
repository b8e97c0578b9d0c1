//! What the driver's errors mean: whether a statement was done, whether its connection can be used again, and what is
//! said about it. The driver's error is the source of ours, and neither shows a password.

use std::{borrow::Cow, error::Error as StdError, io, sync::Arc, time::Duration};

use session_core::Error;

use crate::PostgresOptions;

/// Why no connection could be opened. All who waited for it share it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("PostgreSQL at {address} did not open a connection within {limit:?}")]
    Late { address: String, limit: Duration },

    #[error("PostgreSQL at {address} cannot be reached")]
    Unreachable { address: String, source: sqlx::Error },

    #[error("PostgreSQL at {address} let nobody in as {user:?} with the password given")]
    WrongPassword {
        address: String,
        user: String,
        source: sqlx::Error,
    },

    #[error("PostgreSQL at {address} refused the connection")]
    Refused { address: String, source: sqlx::Error },

    #[error("no connection to PostgreSQL at {address} can be trusted")]
    Tls { address: String, source: sqlx::Error },

    #[error("what answers at {address} does not speak as PostgreSQL does: another kind of server may be there")]
    OtherServer { address: String, source: sqlx::Error },
}

impl ConnectError {
    pub(crate) fn new(options: &PostgresOptions, source: sqlx::Error) -> Self {
        let address = options.address();
        match &source {
            // rustls' own errors come as this kind of I/O error.
            sqlx::Error::Io(io) if io.kind() == io::ErrorKind::InvalidData => Self::Tls { address, source },
            sqlx::Error::Tls(_) | sqlx::Error::Configuration(_) => Self::Tls { address, source },
            // Of a TCP connection, only files with certificates are not found.
            sqlx::Error::Io(io) if io.kind() == io::ErrorKind::NotFound && !options.is_by_socket() => {
                Self::Tls { address, source }
            }
            // 28: invalid authorization.
            sqlx::Error::Database(error) if error.code().is_some_and(|code| code.starts_with("28")) => {
                let user = options.user().to_owned();
                Self::WrongPassword { address, user, source }
            }
            sqlx::Error::Database(_) => Self::Refused { address, source },
            // So the driver calls the end of a connection before the first byte.
            sqlx::Error::Protocol(what) if what.contains("SSLRequest: 0x00") => Self::Unreachable { address, source },
            sqlx::Error::Protocol(_) => Self::OtherServer { address, source },
            _ => Self::Unreachable { address, source },
        }
    }

    pub(crate) fn late(options: &PostgresOptions, limit: Duration) -> Self {
        let address = options.address();
        Self::Late { address, limit }
    }

    /// What the store says of it.
    pub(crate) fn into_error(self: Arc<Self>) -> Error {
        if self.is_lasting() {
            Error::lasting(self)
        } else {
            Error::unavailable(self)
        }
    }

    /// Whether waiting does not mend it. A server that refuses may be starting, or be full.
    fn is_lasting(&self) -> bool {
        match self {
            Self::Tls { .. } | Self::OtherServer { .. } | Self::WrongPassword { .. } => true,
            // No such database, and one that the user may not connect to.
            Self::Refused { source, .. } => {
                let code = source.as_database_error().and_then(|error| error.code());
                matches!(code.as_deref(), Some("3D000" | "42501"))
            }
            Self::Late { .. } | Self::Unreachable { .. } => false,
        }
    }
}

/// The tables could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MigrateError {
    #[error(
        "the role may not make the session store's tables in the schema {schema:?}: let it create schemas in this \
         database, or make the schema and let it create tables there"
    )]
    Forbidden { schema: String, source: sqlx::Error },

    #[error(
        "the session store's tables in the schema {schema:?} cannot be brought up to date while a transaction that has \
         used them is open{}: end it, or wait for its end",
        processes(.holders)
    )]
    Locked {
        schema: String,
        /// The server's processes whose transactions they are, as far as is known.
        holders: Vec<i32>,
        source: sqlx::Error,
    },

    #[error("the session store's tables in the schema {schema:?} cannot be made or brought up to date")]
    Other { schema: String, source: sqlx::Error },
}

impl MigrateError {
    pub(crate) fn new(schema: &str, source: sqlx::Error) -> Self {
        let schema = schema.to_owned();
        let code = source.as_database_error().and_then(|error| error.code());
        match code.as_deref() {
            // Insufficient privilege.
            Some("42501") => Self::Forbidden { schema, source },
            // Lock not available.
            Some("55P03") => Self::Locked {
                schema,
                holders: Vec::new(),
                source,
            },
            _ => Self::Other { schema, source },
        }
    }

    pub(crate) const fn is_locked(&self) -> bool {
        matches!(self, Self::Locked { .. })
    }

    /// Says whose transactions are in the way.
    pub(crate) fn held_by(mut self, processes: &[i32]) -> Self {
        if let Self::Locked { holders, .. } = &mut self {
            *holders = processes.to_vec();
        }
        self
    }

    /// What the store says of it.
    pub(crate) fn into_error(self) -> Error {
        match self {
            Self::Forbidden { .. } => Error::lasting(self),
            Self::Locked { .. } | Self::Other { .. } => Error::unavailable(self),
        }
    }
}

fn processes(numbers: &[i32]) -> String {
    let numbers: Vec<String> = numbers.iter().map(i32::to_string).collect();
    match &numbers[..] {
        [] => String::new(),
        [one] => format!(" (of the server's process {one})"),
        several => format!(" (of the server's processes {})", several.join(", ")),
    }
}

/// The tables are not there.
#[derive(Debug, thiserror::Error)]
#[error("the schema {schema:?} does not have the tables: call PostgresStore::migrate() once before using the store")]
pub(crate) struct NotMigrated {
    schema: String,
    source: sqlx::Error,
}

/// The server was asked and did not answer.
#[derive(Debug, thiserror::Error)]
#[error("PostgreSQL did not answer within {0:?}")]
struct Late(Duration);

/// There was no answer in time. `may_be_done` tells whether something may have changed.
pub(crate) fn late(may_be_done: bool, options: &PostgresOptions) -> Error {
    let late = Late(options.command_timeout);
    if may_be_done {
        Error::unknown(late)
    } else {
        Error::unavailable(late)
    }
}

/// Whether the server refused a statement for what it says or for what it meets.
pub(crate) fn is_refusal(error: &Error) -> bool {
    match error {
        Error::IdInUse => true,
        Error::Unavailable { source } => matches!(source.downcast_ref(), Some(sqlx::Error::Database(_))),
        _ => false,
    }
}

/// The same error for each of several who asked together.
pub(crate) fn share(error: Error) -> impl FnMut() -> Error {
    let (is_unknown, is_lasting) = (matches!(error, Error::Unknown { .. }), error.is_lasting());
    let shared = match error {
        Error::Unknown { source } | Error::Unavailable { source } => Some(Shared(source.into())),
        Error::IdInUse => None,
        other => Some(Shared(Arc::new(other))),
    };
    move || match shared.clone() {
        None => Error::IdInUse,
        Some(shared) if is_unknown => Error::unknown(shared),
        Some(shared) if is_lasting => Error::lasting(shared),
        Some(shared) => Error::unavailable(shared),
    }
}

/// What several were told. It says what it is about.
#[derive(Clone, Debug, thiserror::Error)]
#[error(transparent)]
struct Shared(Arc<dyn StdError + Send + Sync>);

/// A statement that failed on a connection.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: Cause,
    /// Whether a part of the answer had come.
    pub(crate) answered: bool,
}

#[derive(Debug)]
pub(crate) enum Cause {
    Driver(sqlx::Error),
    /// There was no answer in time.
    Late,
}

impl Failure {
    /// Whether it is certain that the server did not do it.
    ///
    /// An error of the server's says so, for a statement and its commit are one. Two are not about the statement: that
    /// the server shuts down (57P) may be said after the commit; and of a broken link (08) speaks a pooler in between.
    /// An error from anywhere else is no message of the server's, so the statement may have been done.
    pub(crate) fn is_not_done(&self) -> bool {
        match self.code() {
            Some(code) if code.starts_with("08") => false,
            Some(code) if code.starts_with("57P") => !self.answered,
            code => code.is_some(),
        }
    }

    /// Whether the connection, and probably all others to this server, cannot be used any more.
    pub(crate) fn is_of_link(&self) -> bool {
        // 57P: the server shuts down; 0A000 and 26000: what the connection prepared is out of date or gone.
        self.is_read_only()
            || self.code().is_none_or(|code| {
                code.starts_with("57P") || code.starts_with("08") || matches!(&*code, "0A000" | "26000")
            })
    }

    /// Whether the server takes no writes: it is not the primary any more, or told so.
    pub(crate) fn is_read_only(&self) -> bool {
        self.code().is_some_and(|code| code == "25006")
    }

    /// Whether there was no answer in time.
    pub(crate) fn is_late(&self) -> bool {
        matches!(self.error, Cause::Late)
    }

    /// Whether it may succeed if it is just done again: another transaction was in the way, or the link was.
    pub(crate) fn is_passing(&self) -> bool {
        match self.error {
            Cause::Driver(_) => self.is_of_link() || self.code().is_some_and(|code| code.starts_with("40")),
            Cause::Late => false,
        }
    }

    /// What the store says of it. `may_be_done` tells whether it may have changed something.
    pub(crate) fn into_error(self, may_be_done: bool, options: &PostgresOptions) -> Error {
        let code = self.code().unwrap_or_default().into_owned();
        match self.error {
            // A unique violation: ids are all that is unique.
            Cause::Driver(_) if code == "23505" => Error::IdInUse,
            // No such table, no such schema.
            Cause::Driver(source) if code == "42P01" || code == "3F000" => Error::unavailable(NotMigrated {
                schema: options.schema.clone(),
                source,
            }),
            Cause::Driver(source) if may_be_done => Error::unknown(source),
            Cause::Driver(source) => Error::unavailable(source),
            Cause::Late => late(may_be_done, options),
        }
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        match &self.error {
            Cause::Driver(sqlx::Error::Database(error)) => error.code(),
            _ => None,
        }
    }
}
