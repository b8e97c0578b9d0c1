use std::{fmt, sync::Arc};

use crate::{servers::Sentinels, wire::Address};

/// What a connection leads to.
#[derive(Clone)]
pub(crate) enum Place {
    /// The one server there is, unless it is a node of a cluster.
    Server(Address),
    /// A node of a cluster.
    Node(Address),
    /// Whichever server is the primary by then.
    Primary(Arc<Sentinels>),
}

/// How it is called in messages.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(address) | Self::Node(address) => address.fmt(f),
            Self::Primary(sentinels) => sentinels.fmt(f),
        }
    }
}
