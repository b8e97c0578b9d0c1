//! What the driver's errors mean: whether a command was done, whether its connection can be used again, and what is
//! said about it. The driver's error is the source of ours, and neither shows a password.

use std::{io, sync::Arc, time::Duration};

use redis::{ErrorKind, RedisConnectionInfo, RedisError, ServerError, Value};
use session_core::Error;

use crate::wire::Address;

/// Why there is no connection. All who waited for it share it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("the last attempt to connect to Redis at {servers} was given up by its caller")]
    Abandoned { servers: String },

    #[error("Redis at {address} is a node of a cluster")]
    Cluster { address: Address },

    #[error("Redis at {servers} did not open a connection within {limit:?}")]
    Late { servers: String, limit: Duration },

    #[error("Redis at {address} is a node of a cluster, and there is no near cache of one yet: leave that out")]
    NearCluster { address: Address },

    #[error("no sentinel names a primary of {service}")]
    NoPrimary {
        service: String,
        #[source]
        reason: Box<Self>,
    },

    #[error("the sentinel at {address} knows no {service}")]
    NoService { address: Address, service: String },

    #[error("Redis at {address} is a replica, and sessions are written to its master")]
    Replica { address: Address },

    #[error("Redis at {address} refused the connection")]
    Refused { address: Address, source: RedisError },

    #[error("no connection to Redis at {address} can be trusted")]
    Tls { address: Address, source: io::Error },

    #[error("Redis at {address} cannot be reached")]
    Unreachable { address: Address, source: io::Error },

    #[error("Redis at {address} let nobody in as {user:?} with the password given")]
    WrongPassword {
        address: Address,
        user: String,
        source: RedisError,
    },
}

impl ConnectError {
    /// The server was reached and let nobody in.
    pub(crate) fn refused(address: &Address, login: &RedisConnectionInfo, source: RedisError) -> Self {
        let address = address.clone();
        // What a server says to no password, where it wants one, is only said to a command.
        if source.kind() == ErrorKind::AuthenticationFailed || source.code() == Some("NOAUTH") {
            let user = login.username().unwrap_or("default").to_owned();
            Self::WrongPassword { address, user, source }
        } else {
            Self::Refused { address, source }
        }
    }

    /// What the store says of it.
    pub(crate) fn into_error(self: Arc<Self>) -> Error {
        if self.is_lasting() {
            Error::lasting(self)
        } else {
            Error::unavailable(self)
        }
    }

    /// Whether waiting does not mend it. A replica may become the master, and a server that refuses may be loading.
    pub(crate) fn is_lasting(&self) -> bool {
        match self {
            Self::NearCluster { .. } | Self::NoService { .. } | Self::Tls { .. } | Self::WrongPassword { .. } => true,
            Self::NoPrimary { reason, .. } => reason.is_lasting(),
            Self::Refused { source, .. } => source.code() == Some("NOPERM"),
            Self::Abandoned { .. }
            | Self::Cluster { .. }
            | Self::Late { .. }
            | Self::Replica { .. }
            | Self::Unreachable { .. } => false,
        }
    }
}

/// Whether a command may change something, so that it matters whether it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Reads,
    Writes,
    /// Writes what a failover must not undo, where replicas are waited for.
    Lasts,
}

/// A command that got no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("Redis did not answer within {0:?}")]
    Late(Duration),

    #[error("the connection to Redis was lost")]
    Lost {
        /// Whether a part of the command may have gone out.
        sent: bool,
        source: RedisError,
    },
}

impl Failure {
    /// Whether it may be tried again on another connection: that can do no harm, and may help.
    pub(crate) fn may_be_repeated(&self, effect: Effect) -> bool {
        match self {
            Self::Late(_) => false,
            Self::Lost { sent, .. } => !sent || effect == Effect::Reads,
        }
    }

    /// What the store says of it.
    pub(crate) fn into_error(self, effect: Effect) -> Error {
        let sent = !matches!(self, Self::Lost { sent: false, .. });
        match effect {
            Effect::Writes | Effect::Lasts if sent => Error::unknown(self),
            Effect::Reads | Effect::Writes | Effect::Lasts => Error::unavailable(self),
        }
    }
}

/// What the store says of a server that answered with an error.
pub(crate) fn refused(error: ServerError, effect: Effect) -> Error {
    match effect {
        Effect::Writes | Effect::Lasts if !is_not_done(&error) => Error::unknown(error),
        Effect::Reads | Effect::Writes | Effect::Lasts => Error::unavailable(error),
    }
}

/// Whether it is certain that a script did nothing: the server refused it whole, or its first write. Any other error
/// may come from the middle of a script, and what came before it stays.
fn is_not_done(error: &ServerError) -> bool {
    matches!(
        code(error),
        "ASK"
            | "BUSY"
            | "CLUSTERDOWN"
            | "CROSSSLOT"
            | "LOADING"
            | "MASTERDOWN"
            | "MISCONF"
            | "MOVED"
            | "NOAUTH"
            | "NOREPLICAS"
            | "NOSCRIPT"
            | "OOM"
            | "READONLY"
            | "TRYAGAIN"
    )
}

/// Whether the answer says that the server should be connected to anew: it is no master any more, or forgot who we are.
pub(crate) fn is_of_link(answer: &Value) -> bool {
    matches!(answer, Value::ServerError(error) if matches!(code(error), "MASTERDOWN" | "NOAUTH" | "READONLY"))
}

/// The word that tells errors apart: of what a script was refused, if one was.
///
/// A server older than Redis 7 says that within an error of the script: `ERR Error running script (call to f_…):
/// @user_script:7: @user_script: 7: -OOM command not allowed …`.
pub(crate) fn code(error: &ServerError) -> &str {
    let refused = error
        .details()
        .filter(|details| error.code() == "ERR" && details.starts_with("Error running script"))
        .and_then(|details| details.split_once(": -")?.1.split(' ').next());
    refused.unwrap_or_else(|| error.code())
}

/// The answer is none that the command has.
pub(crate) fn unexpected(effect: Effect) -> Error {
    let message = "Redis gave an answer that makes no sense";
    match effect {
        Effect::Reads => Error::unavailable(message),
        Effect::Writes | Effect::Lasts => Error::unknown(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_script_was_refused_is_found_in_an_old_servers_words() {
        let said = |line: &str| redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap();
        for (line, expected) in [
            ("OOM command not allowed", "OOM"),
            ("ERR unknown command", "ERR"),
            (
                "ERR Error running script (call to f_1): @user_script:7: @user_script: 7: -READONLY You can't write",
                "READONLY",
            ),
            (
                "ERR Error running script (call to f_1): @user_script:7: user_script:7: attempt to call a nil value",
                "ERR",
            ),
            ("ERR somebody said: -OOM to this", "ERR"),
        ] {
            let Value::ServerError(error) = said(line) else {
                panic!("{line}")
            };
            assert_eq!(code(&error), expected, "{line}");
        }
    }
}
