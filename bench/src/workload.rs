use std::fmt;

use serde::{Deserialize, Serialize};

/// What the browsers of a round do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Workload {
    /// The route outside every layer.
    Bare,
    /// The route inside the layer that asks for no session.
    Plain,
    /// Read one key.
    Read,
    /// Nine reads, then a write.
    Mix,
    /// Write one key.
    Write,
    /// Add one to a number, atomically where there is a way to.
    Update,
    /// The same, all connections to one session.
    Contended,
    /// Log in, and so get a new token.
    Login,
    /// Read sessions, once each, that another instance has made: none is in a cache.
    Cold,
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Bare => "bare",
            Self::Plain => "no session asked for",
            Self::Read => "read",
            Self::Mix => "90/10 mix",
            Self::Write => "write",
            Self::Update => "update",
            Self::Contended => "update, contended",
            Self::Login => "login",
            Self::Cold => "cold read",
        })
    }
}
