//! What the server answered of the hash at a session's key.

use bytes::Bytes;
use redis::Value;
use session_core::{Error, SessionId};
use time::OffsetDateTime;

use super::record::{Found, decode};
use crate::{
    error::{Effect, refused, unexpected},
    wire::strings,
};

/// What the server answered of a session's hash, which is in an envelope; nothing if another kind of thing is at its
/// key.
pub(crate) fn answer_of(id: &SessionId, answer: Value) -> Result<Option<Bytes>, Error> {
    match answer {
        Value::BulkString(envelope) => Ok(Some(envelope.into())),
        Value::ServerError(error) if error.code() == "WRONGTYPE" => {
            tracing::warn!(session = %id, "a session's key holds no hash");
            Ok(None)
        }
        Value::ServerError(error) => Err(refused(error, Effect::Reads)),
        _ => Err(unexpected(Effect::Reads)),
    }
}

/// What the fields of a session's hash are, which are in this answer. What cannot be read is nothing, and logged.
pub(crate) fn read_fields<'a>(
    id: &SessionId,
    answer: &Bytes,
    fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    now: Option<OffsetDateTime>,
) -> Found {
    decode(answer, fields, now).unwrap_or_else(|damage| {
        tracing::warn!(session = %id, %damage, "a session's record cannot be read");
        Found::Nothing
    })
}

/// What a session's hash is that was read whole.
pub(crate) fn read_hash(id: &SessionId, answer: Value, now: Option<OffsetDateTime>) -> Result<Found, Error> {
    let Some(answer) = answer_of(id, answer)? else {
        return Ok(Found::Nothing);
    };
    let strings = strings(&answer).ok_or_else(|| unexpected(Effect::Reads))?;
    let fields = strings
        .as_chunks()
        .0
        .iter()
        .filter_map(|[name, value]| name.zip(*value));
    Ok(read_fields(id, &answer, fields, now))
}
