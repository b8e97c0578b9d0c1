//! What the server's answers say.

use std::str;

use redis::{ServerErrorKind, Value};
use session_core::{Error, SessionId, Version};
use time::OffsetDateTime;

use crate::error::{Effect, code, refused, unexpected};

/// The answer of a script: each script's header says which it gives.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    Conflict(Option<Vec<u8>>),
    /// With a number, if the script gives one; scripts that run often give that alone.
    Done(u64),
    Ended,
    Finished,
    InUse,
    Locked,
    Moved(SessionId),
    Over(SessionId),
    Spare(SessionId),
    TooLarge(u64),
}

impl Reply {
    pub(crate) fn read(answer: Option<Value>) -> Result<Self, Error> {
        let (outcome, detail) = match answer {
            Some(Value::ServerError(error)) => return Err(refused(error, Effect::Writes)),
            Some(Value::Int(number)) if number >= 0 => return Ok(Self::Done(number.cast_unsigned())),
            Some(Value::Array(mut parts)) if !parts.is_empty() => {
                let detail = parts.drain(1..).next().unwrap_or_default();
                (parts.remove(0), detail)
            }
            _ => return Err(unexpected(Effect::Writes)),
        };
        let (Value::BulkString(outcome), detail) = (outcome, detail) else {
            return Err(unexpected(Effect::Writes));
        };
        Ok(match (outcome.as_slice(), detail) {
            (b"conflict", Value::BulkString(current)) => Self::Conflict(Some(current)),
            (b"conflict", _) => Self::Conflict(None),
            (b"done", detail) => Self::Done(read_number(&detail).unwrap_or_default()),
            (b"ended", _) => Self::Ended,
            (b"finished", _) => Self::Finished,
            (b"in use", _) => Self::InUse,
            (b"locked", _) => Self::Locked,
            (b"moved", detail) => Self::Moved(read_id(&detail)?),
            (b"over", detail) => Self::Over(read_id(&detail)?),
            (b"spare", detail) => Self::Spare(read_id(&detail)?),
            (b"too large", detail) => Self::TooLarge(read_number(&detail).unwrap_or_default()),
            _ => return Err(unexpected(Effect::Writes)),
        })
    }

    /// The version of a record that was written, or why it was not; `limit` is the largest size it may have.
    pub(crate) fn version(self, limit: u64) -> Result<Version, Error> {
        match self {
            Self::Done(version) => Ok(Version(version)),
            Self::Conflict(current) => Err(Error::Conflict {
                current: current.map(session_core::Value::from_json),
            }),
            Self::InUse => Err(Error::IdInUse),
            Self::Locked => Err(Error::Locked),
            Self::TooLarge(size) => Err(Error::TooLarge { size, limit }),
            Self::Ended | Self::Finished | Self::Moved(_) | Self::Over(_) | Self::Spare(_) => Err(Error::Ended),
        }
    }
}

/// Whether the server does not know the script it was to run, so that nothing was done.
pub(crate) fn is_no_script(answer: &Value) -> bool {
    matches!(answer, Value::ServerError(error) if error.kind() == Some(ServerErrorKind::NoScript))
}

/// Whether the answer to `ROLE` is that of a replica, or of anything else that is no master.
pub(crate) fn is_replica(role: &Value) -> bool {
    match role {
        Value::Array(parts) => !matches!(parts.first(), Some(Value::BulkString(role)) if role == b"master"),
        _ => false,
    }
}

/// Whether the answer to `INFO cluster` is that of a node which serves a part of the keys alone.
pub(crate) fn is_cluster(info: &Value) -> bool {
    lines(info).any(|line| line == "cluster_enabled:1")
}

/// Whether a server refused to write because it is a replica.
pub(crate) fn is_read_only(answer: &Value) -> bool {
    matches!(answer, Value::ServerError(error) if code(error) == "READONLY")
}

/// Whether a node of a cluster said that another one has the key.
pub(crate) fn is_moved(answer: &Value) -> bool {
    matches!(answer, Value::ServerError(error) if error.code() == "MOVED")
}

/// Whether the answer to `INFO memory` is that of a server that evicts lists and markers, or the newest of them first.
pub(crate) fn is_evicting(info: &Value) -> bool {
    let limited = lines(info).any(|line| line.starts_with("maxmemory:") && line != "maxmemory:0");
    let harmful = |line: &str| line.starts_with("maxmemory_policy:allkeys-") || line == "maxmemory_policy:volatile-ttl";
    limited && lines(info).any(harmful)
}

fn lines(info: &Value) -> str::Lines<'_> {
    let text = match info {
        Value::BulkString(text) => str::from_utf8(text).unwrap_or_default(),
        // Of the newer protocol.
        Value::VerbatimString { text, .. } => text,
        _ => "",
    };
    text.lines()
}

/// The answer to `TIME`: seconds and microseconds.
pub(crate) fn read_time(answer: &Value) -> Option<OffsetDateTime> {
    let Value::Array(parts) = answer else { return None };
    let [seconds, micros] = parts.as_slice() else {
        return None;
    };
    let nanos = i128::from(read_number(seconds)?) * 1_000_000_000 + i128::from(read_number(micros)?) * 1000;
    OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()
}

/// A session's id among the members of an index; other members are none.
pub(crate) fn read_member(member: &Value) -> Option<SessionId> {
    match member {
        Value::BulkString(text) => str::from_utf8(text).ok()?.parse().ok(),
        _ => None,
    }
}

fn read_id(value: &Value) -> Result<SessionId, Error> {
    read_member(value).ok_or_else(|| unexpected(Effect::Writes))
}

pub(crate) fn read_number(value: &Value) -> Option<u64> {
    match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        Value::BulkString(digits) => str::from_utf8(digits).ok()?.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::BulkString(text.into())
    }

    #[test]
    fn only_a_server_that_is_short_of_memory_evicts() {
        let info = |limit: &str, policy: &str| {
            text(&format!(
                "# Memory\r\nmaxmemory:{limit}\r\nmaxmemory_policy:{policy}\r\n"
            ))
        };
        assert!(is_evicting(&info("1000", "allkeys-lru")));
        assert!(is_evicting(&info("1000", "allkeys-random")));
        assert!(is_evicting(&info("1000", "volatile-ttl")));
        assert!(!is_evicting(&info("1000", "volatile-lru")));
        assert!(!is_evicting(&info("1000", "noeviction")));
        assert!(!is_evicting(&info("0", "allkeys-lru")));
        assert!(!is_evicting(&Value::Nil));
    }

    #[test]
    fn an_answer_that_makes_no_sense_is_an_unknown_outcome() {
        for answer in [
            None,
            Some(Value::Okay),
            Some(Value::Array(vec![])),
            Some(Value::Array(vec![text("fine")])),
            Some(Value::Array(vec![Value::Int(1)])),
            Some(Value::Array(vec![text("moved"), text("elsewhere")])),
        ] {
            assert!(matches!(Reply::read(answer), Err(Error::Unknown { .. })));
        }
    }

    #[test]
    fn the_servers_time_is_read_to_the_microsecond() {
        let time = read_time(&Value::Array(vec![text("1700000000"), text("1234")])).unwrap();
        assert_eq!(time.unix_timestamp_nanos(), 1_700_000_000_001_234_000);
        assert_eq!(read_time(&Value::Array(vec![text("1700000000")])), None);
    }
}
