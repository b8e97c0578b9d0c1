use redis::Value;
use session_core::Error;

use crate::{
    error::{Effect, refused, unexpected},
    reply::read_number,
    servers::Server,
};

/// About how many keys there are to a step.
const KEYS_A_STEP: usize = 1000;

/// A place on the way through the keys of all servers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spot {
    /// Which server, by its number.
    pub(crate) server: usize,
    pub(crate) cursor: u64,
}

impl Spot {
    /// The same place, unless it is at a server that is gone.
    pub(crate) fn among(self, servers: usize) -> Self {
        if self.server < servers { self } else { Self::default() }
    }

    /// Where to go on after a step, by what the server said: the beginning, if that was the last one.
    pub(crate) fn after(self, cursor: u64, servers: usize) -> Self {
        let server = self.server + usize::from(cursor == 0);
        Self { server, cursor }.among(servers)
    }
}

impl Server {
    /// One step through the server's keys: where to go on, 0 at the end, and the keys of a type that match a pattern.
    pub(crate) async fn scan(&self, cursor: u64, pattern: &str, kind: &str) -> Result<(u64, Vec<Vec<u8>>), Error> {
        let mut scan = redis::pipe();
        scan.cmd("SCAN").arg(cursor).arg("MATCH").arg(pattern);
        scan.arg("COUNT").arg(KEYS_A_STEP).arg("TYPE").arg(kind);
        let answer = match self.connection.send(&scan, Effect::Reads).await?.pop() {
            Some(Value::ServerError(error)) => return Err(refused(error, Effect::Reads)),
            Some(Value::Array(parts)) => <[Value; 2]>::try_from(parts).ok(),
            _ => None,
        };
        let Some([cursor, Value::Array(keys)]) = answer else {
            return Err(unexpected(Effect::Reads));
        };
        let keys = keys.into_iter().filter_map(|key| match key {
            Value::BulkString(key) => Some(key),
            _ => None,
        });
        let next = read_number(&cursor).ok_or_else(|| unexpected(Effect::Reads))?;
        Ok((next, keys.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_goes_through_all_servers_and_begins_again() {
        let at = |server, cursor| Spot { server, cursor };
        let mut spot = Spot::default();
        for (cursor, next) in [(7, at(0, 7)), (0, at(1, 0)), (9, at(1, 9)), (0, at(0, 0))] {
            spot = spot.after(cursor, 2);
            assert_eq!(spot, next);
        }
        assert_eq!(at(1, 9).among(1), at(0, 0));
    }
}
