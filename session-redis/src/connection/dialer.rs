use redis::RedisConnectionInfo;
use session_core::Error;

use super::ended_lately::EndedLately;
use crate::{
    RedisOptions,
    error::ConnectError,
    wire::{Address, Link, Stream, Tls},
};

/// What it takes to connect to any server of a store's.
pub(crate) struct Dialer {
    pub(crate) options: RedisOptions,
    /// How certificates are verified, if there are to be any.
    pub(crate) tls: Option<Tls>,
    /// What is to be ended again wherever a connection leads to.
    pub(crate) ended: EndedLately,
}

impl Dialer {
    pub(crate) fn new(options: RedisOptions) -> Result<Self, Error> {
        options.check()?;
        let tls = options.tls.then(|| Tls::new(&options)).transpose()?;
        Ok(Self {
            options,
            tls,
            ended: EndedLately::default(),
        })
    }

    /// Connects; nobody is logged in yet.
    pub(crate) async fn stream(&self, address: &Address) -> Result<Stream, ConnectError> {
        Stream::open(address, self.tls.as_ref()).await
    }

    /// Connects and logs in.
    pub(crate) async fn link(&self, address: &Address, login: &RedisConnectionInfo) -> Result<Link, ConnectError> {
        Link::open(address, self.tls.as_ref(), login, None).await
    }

    /// Nothing came of it in time.
    pub(crate) fn late(&self, servers: &impl ToString) -> ConnectError {
        ConnectError::Late {
            servers: servers.to_string(),
            limit: self.options.connect_timeout,
        }
    }
}
