//! How a record is stored: `data` is an object of JSON strings, each holding a value's JSON text; times are
//! milliseconds since 1970.

use std::{collections::BTreeMap, str, time::Duration};

use serde_json::value::RawValue;
use session_core::{
    About, Data, DecodeError, Delta, Error, Excess, Fate, Loaded, Marker, Record, RenewalNonce, Seal, SessionId,
    SessionInfo, SessionLimit, Value, Version,
};
use sqlx::{Row, postgres::PgRow};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::statement::LAST_MS;

/// The keys that a delta sets, as a part of the column `data`.
pub(crate) fn encode_sets(delta: &Delta) -> Result<String, Error> {
    serde_json::to_string(&texts(delta)?).map_err(Error::unavailable)
}

/// The keys that a delta sets, and the texts of their values.
pub(crate) fn texts(delta: &Delta) -> Result<BTreeMap<String, String>, Error> {
    let text = |(key, value): (&str, &Value)| Ok((key.to_owned(), encode_value(key, value)?.to_owned()));
    delta.sets().map(text).collect()
}

/// The keys that a delta removes, as a JSON array.
pub(crate) fn encode_removals(delta: &Delta) -> Result<String, Error> {
    serde_json::to_string(&delta.removals().collect::<Vec<_>>()).map_err(Error::unavailable)
}

/// A value's text.
pub(crate) fn encode_value<'a>(key: &str, value: &'a Value) -> Result<&'a str, Error> {
    let text = str::from_utf8(value.as_bytes()).map_err(|source| Error::Encode {
        key: key.to_owned(),
        source: source.into(),
    })?;
    if text.contains('\0') {
        return Err(Error::Encode {
            key: key.to_owned(),
            source: "JSON text cannot hold the character U+0000 unescaped".into(),
        });
    }
    Ok(text)
}

pub(crate) fn encode_id(id: &SessionId) -> Uuid {
    Uuid::from_bytes(*id.as_bytes())
}

/// A length of time in milliseconds, at most the one to the end of the calendar.
pub(crate) fn encode_duration(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).map_or(LAST_MS, |ms| ms.min(LAST_MS))
}

pub(crate) fn encode_size(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// How many sessions a user may have.
pub(crate) fn encode_max(limit: SessionLimit) -> i32 {
    i32::try_from(limit.max).unwrap_or(i32::MAX)
}

/// Whether a login over the limit ends the user's oldest session.
pub(crate) fn ends_oldest(limit: Option<SessionLimit>) -> bool {
    limit.is_some_and(|limit| limit.excess == Excess::EndOldest)
}

/// The column `id`.
pub(crate) fn decode_id(row: &PgRow) -> Result<SessionId, sqlx::Error> {
    row.try_get("id").map(|id: Uuid| SessionId::from_bytes(id.into_bytes()))
}

/// A row of `fates.sql`, of a session that has not ended.
pub(crate) fn decode_fate(row: &PgRow) -> Result<Fate, sqlx::Error> {
    let successor: Option<Uuid> = row.try_get("successor")?;
    Ok(match successor {
        Some(successor) => Fate::Renewed(SessionId::from_bytes(successor.into_bytes())),
        None if row.try_get("locked")? => Fate::Locked,
        None => Fate::Live(Duration::from_millis(unsigned(row, "left_ms")?)),
    })
}

/// The column `version`.
pub(crate) fn decode_version(row: &PgRow) -> Result<Version, sqlx::Error> {
    unsigned(row, "version").map(Version)
}

/// The only column of a statement that counts.
pub(crate) fn decode_count(row: &PgRow) -> Result<u64, sqlx::Error> {
    unsigned(row, "count")
}

/// A row of `end_everyone.sql`: the time before which they began, and the last that was found.
pub(crate) fn decode_ended(row: &PgRow) -> Result<(i64, Option<Uuid>), sqlx::Error> {
    Ok((row.try_get("started")?, row.try_get("id")?))
}

/// A row of `create.sql`, `update.sql` or `renew.sql`, for the largest size and the number of sessions allowed.
pub(crate) fn decode_outcome(row: &PgRow, limit: u64, sessions: Option<SessionLimit>) -> Result<Version, Error> {
    let outcome: &str = row.try_get("outcome").map_err(Error::unknown)?;
    match outcome {
        "done" => decode_version(row).map_err(Error::unknown),
        "conflict" => {
            let current: Option<String> = row.try_get("current").map_err(Error::unavailable)?;
            Err(Error::Conflict {
                current: current.map(Value::from_json),
            })
        }
        "in use" => Err(Error::IdInUse),
        "limit reached" => Err(Error::LimitReached {
            max: sessions.map_or(0, |limit| limit.max),
        }),
        "locked" => Err(Error::Locked),
        "too large" => {
            let size = unsigned(row, "size").map_err(Error::unavailable)?;
            Err(Error::TooLarge { size, limit })
        }
        _ => Err(Error::Ended),
    }
}

/// A row of `touch.sql`.
pub(crate) fn decode_touched(row: &PgRow) -> Result<(), Error> {
    let outcome: &str = row.try_get("outcome").map_err(Error::unknown)?;
    if outcome == "locked" {
        Err(Error::Locked)
    } else {
        Ok(())
    }
}

/// A row of `load.sql`.
pub(crate) fn decode_loaded(row: &PgRow) -> Result<Loaded, sqlx::Error> {
    let (id, successor) = (decode_id(row)?, row.try_get::<Option<Uuid>, _>("successor")?);
    let Some(successor) = successor else {
        return Ok(Loaded::Live(id, Box::new(decode_record(row)?)));
    };
    let mut marker = Marker::new(id, SessionId::from_bytes(successor.into_bytes()));
    let nonce: Option<&[u8]> = row.try_get("nonce")?;
    marker.nonce = nonce
        .and_then(|nonce| nonce.try_into().ok())
        .map(RenewalNonce::from_bytes);
    let age = time_in(row, "loaded_at")? - time_in(row, "renewed")?;
    marker.age = age.try_into().unwrap_or_default();
    Ok(Loaded::Renewed(marker))
}

fn decode_record(row: &PgRow) -> Result<Record, sqlx::Error> {
    let idle_timeout = Duration::from_millis(unsigned(row, "idle_timeout")?);
    let mut record = Record::new(time_in(row, "created")?, idle_timeout, time_in(row, "absolute_end")?);
    record.data =
        decode_data(row.try_get("data")?).map_err(|error| sqlx::Error::Decode(DecodeError::from(error).into()))?;
    record.version = decode_version(row)?;
    record.user = row.try_get("user_id")?;
    record.lock = span(row, "lock")?;
    record.renewal = span(row, "renewal")?;
    record.renewed = time_in(row, "renewed")?;
    record.about = decode_about(row)?;
    record.seal = row.try_get::<Option<Vec<u8>>, _>("seal")?.map(Seal::from_bytes);
    record.last_seen = time_in(row, "last_seen")?;
    record.loaded_at = time_in(row, "loaded_at")?;
    Ok(record)
}

/// A row of `of_user.sql`.
pub(crate) fn decode_info(row: &PgRow) -> Result<SessionInfo, sqlx::Error> {
    let idle_timeout = Duration::from_millis(unsigned(row, "idle_timeout")?);
    let mut record = Record::new(time_in(row, "created")?, idle_timeout, time_in(row, "absolute_end")?);
    record.last_seen = time_in(row, "last_seen")?;
    record.about = decode_about(row)?;
    Ok(SessionInfo::of(decode_id(row)?, &record))
}

fn decode_about(row: &PgRow) -> Result<About, sqlx::Error> {
    let text: Option<&str> = row.try_get("about")?;
    Ok(text.map_or_else(About::default, About::from_json))
}

/// Whatever is wrong with one value is left for who asks for it (promise P12): if it is no string, its text is kept.
pub(crate) fn decode_data(text: &str) -> Result<Data, serde_json::Error> {
    if let Ok(strings) = serde_json::from_str::<BTreeMap<String, String>>(text) {
        let values = strings.into_iter();
        return Ok(values.map(|(key, text)| (key, Value::from_json(text))).collect());
    }
    let values = serde_json::from_str::<BTreeMap<String, &RawValue>>(text)?.into_iter();
    let decode = |raw: &RawValue| serde_json::from_str(raw.get()).unwrap_or_else(|_| raw.get().to_owned());
    Ok(values.map(|(key, raw)| (key, Value::from_json(decode(raw)))).collect())
}

fn time_in(row: &PgRow, column: &str) -> Result<OffsetDateTime, sqlx::Error> {
    let ms: i64 = row.try_get(column)?;
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).map_err(|error| wrong(column, error))
}

/// A length of time that not every session has.
fn span(row: &PgRow, column: &str) -> Result<Option<Duration>, sqlx::Error> {
    match row.try_get::<Option<i64>, _>(column)? {
        Some(_) => unsigned(row, column).map(|ms| Some(Duration::from_millis(ms))),
        None => Ok(None),
    }
}

fn unsigned(row: &PgRow, column: &str) -> Result<u64, sqlx::Error> {
    let number: i64 = row.try_get(column)?;
    number.try_into().map_err(|error| wrong(column, error))
}

fn wrong(column: &str, error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: error.into(),
    }
}
