use std::sync::Arc;

use redis::{Pipeline, Value};
use session_core::Error;
use tokio::time::Instant;

use crate::{
    connection::{Connection, Dialer, Place},
    error::Effect,
    keys::Keys,
    near::Near,
};

/// One server that is written to: the only one, or a node of a cluster.
pub(crate) struct Server {
    pub(crate) connection: Connection,
    /// Where replicas are waited for: for what waits. Whatever comes behind it on its connection does too.
    lasting: Option<Connection>,
}

impl Server {
    pub(crate) fn new(dialer: &Arc<Dialer>, place: Place, keys: &Arc<Keys>, near: Option<Arc<Near>>) -> Self {
        let lasting = dialer.options.replicas.map(|replicas| {
            let connection = Connection::new(dialer, place.clone(), keys);
            connection.waiting_for(replicas)
        });
        Self {
            connection: Connection::new(dialer, place, keys).telling(near),
            lasting,
        }
    }

    /// The connection for what has this effect.
    pub(crate) fn connection_for(&self, effect: Effect) -> &Connection {
        match (effect, &self.lasting) {
            (Effect::Lasts, Some(lasting)) => lasting,
            _ => &self.connection,
        }
    }

    /// Whether it has said that it is a node of a cluster.
    pub(crate) fn found_cluster(&self) -> bool {
        self.connection.found_cluster() || self.lasting.as_ref().is_some_and(Connection::found_cluster)
    }

    /// Sends commands in one go, by a deadline if there is one, and returns their answers in their envelopes.
    pub(crate) fn exchange(
        &self,
        commands: &Pipeline,
        effect: Effect,
        by: Option<Instant>,
    ) -> impl Future<Output = Result<Vec<Value>, Error>> {
        self.connection_for(effect).exchange(commands, effect, by)
    }
}
