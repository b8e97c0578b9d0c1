//! What the server's answers say.

use std::str;

use redis::{ServerErrorKind, Value};
use session_core::{Error, SessionId, Version};
use time::OffsetDateTime;

use crate::error::{Effect, refused, unexpected};

/// The answer of a script: each script's header says which it gives.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    Conflict(Option<Vec<u8>>),
    Done(u64),
    Ended,
    InUse,
    Moved(SessionId),
    Spare(SessionId),
    TooLarge(u64),
}

impl Reply {
    pub(crate) fn read(answer: Option<Value>) -> Result<Self, Error> {
        let (outcome, detail) = match answer {
            Some(Value::ServerError(error)) => return Err(refused(error, Effect::Writes)),
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
            (b"in use", _) => Self::InUse,
            (b"moved", detail) => Self::Moved(read_id(&detail)?),
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
            Self::TooLarge(size) => Err(Error::TooLarge { size, limit }),
            Self::Ended | Self::Moved(_) | Self::Spare(_) => Err(Error::Ended),
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

/// Whether the answer to `INFO memory` is that of a server that evicts keys without a time to live.
pub(crate) fn is_evicting(info: &Value) -> bool {
    let text = match info {
        Value::BulkString(text) => str::from_utf8(text).unwrap_or_default(),
        _ => "",
    };
    let limited = text
        .lines()
        .any(|line| line.starts_with("maxmemory:") && line != "maxmemory:0");
    limited && text.lines().any(|line| line.starts_with("maxmemory_policy:allkeys-"))
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
