use redis::Value;
use session_core::Error;

use crate::{
    RedisStore,
    error::{Effect, refused, unexpected},
    reply::read_number,
};

/// About how many keys there are to a step.
const KEYS_A_STEP: usize = 1000;

impl RedisStore {
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
