//! How a record is stored: a hash with a field for each key of the data, which holds the value's JSON text, and fields
//! whose names begin with NUL, which `scripts/record.lua` lists.

use std::{str, time::Duration};

use redis::Cmd;
use session_core::{Data, Delta, Record, Value, Version};
use time::OffsetDateTime;

/// The fields of a record that are none of its data.
pub(crate) const META: [&[u8]; 8] = [FORMAT, VERSION, USER, CREATED, LAST_SEEN, IDLE, ABSOLUTE_END, SIZE];

const FORMAT: &[u8] = b"\0f";
const VERSION: &[u8] = b"\0v";
const USER: &[u8] = b"\0u";
const CREATED: &[u8] = b"\0c";
const LAST_SEEN: &[u8] = b"\0s";
const IDLE: &[u8] = b"\0i";
const ABSOLUTE_END: &[u8] = b"\0e";
const SIZE: &[u8] = b"\0z";
const SUCCESSOR: &[u8] = b"\0m";

/// No session lives longer than this, a thousand years, so that times stay within the calendar.
const LONGEST_LIFE_MS: u64 = 31_557_600_000_000;

/// Why a hash is no record.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("its field {field:?} is missing or damaged")]
pub(crate) struct Damage {
    field: &'static str,
}

/// A length of time, in milliseconds.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).map_or(LONGEST_LIFE_MS, |ms| ms.min(LONGEST_LIFE_MS))
}

/// The bytes of the keys that a delta sets, and of their values.
pub(crate) fn size(delta: &Delta) -> u64 {
    delta.sets().map(|(key, value)| (key.len() + value.len()) as u64).sum()
}

/// Adds what a delta sets to a script's arguments: how many keys, each key and its value.
pub(crate) fn add_sets(command: &mut Cmd, delta: &Delta) {
    command.arg(delta.sets().count());
    for (key, value) in delta.sets() {
        command.arg(key).arg(value.as_bytes());
    }
}

/// Adds a delta to a script's arguments: what it sets, then the keys it removes.
pub(crate) fn add_changes(command: &mut Cmd, delta: &Delta) {
    add_sets(command, delta);
    for key in delta.removals() {
        command.arg(key);
    }
}

/// Adds a user who may be none to a script's arguments.
pub(crate) fn add_user(command: &mut Cmd, user: Option<&str>) {
    command.arg(u8::from(user.is_some())).arg(user.unwrap_or_default());
}

/// The record in the fields of a hash, read at `now`; none if there are no fields, or those of a marker.
///
/// Whatever is wrong with one value is left for who asks for it (promise P12).
pub(crate) fn decode(
    fields: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>,
    now: Option<OffsetDateTime>,
) -> Result<Option<Record>, Damage> {
    let mut data = Data::new();
    let mut meta = Vec::with_capacity(8);
    for (name, value) in fields {
        if name.first() == Some(&0) {
            meta.push((name, value));
        } else if let Ok(key) = String::from_utf8(name) {
            data.insert(key, Value::from_json(value));
        }
    }
    let meta = Meta(meta);
    if meta.get(SUCCESSOR).is_some() || (data.is_empty() && meta.0.is_empty()) {
        return Ok(None);
    }
    if meta.get(FORMAT) != Some(b"1") {
        return Err(Damage { field: "format" });
    }
    // Not told, but no script works without it.
    meta.number(SIZE, "size")?;
    let created = meta.time(CREATED, "created")?;
    let idle_timeout = Duration::from_millis(meta.number(IDLE, "idle timeout")?);
    let mut record = Record::new(created, idle_timeout, meta.time(ABSOLUTE_END, "absolute end")?);
    record.data = data;
    record.version = Version(meta.number(VERSION, "version")?);
    record.user = meta.text(USER, "user")?;
    record.last_seen = meta.time(LAST_SEEN, "last seen")?;
    // The clock may be a little late.
    record.loaded_at = now.map_or(record.last_seen, |now| now.max(record.last_seen));
    Ok(Some(record))
}

/// Those of a record's fields that are none of its data.
struct Meta(Vec<(Vec<u8>, Vec<u8>)>);

impl Meta {
    fn get(&self, name: &[u8]) -> Option<&[u8]> {
        self.0
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_slice())
    }

    fn number(&self, name: &[u8], field: &'static str) -> Result<u64, Damage> {
        let digits = self.get(name).filter(|value| value.iter().all(u8::is_ascii_digit));
        let number = digits.and_then(|digits| str::from_utf8(digits).ok()?.parse().ok());
        number.ok_or(Damage { field })
    }

    fn time(&self, name: &[u8], field: &'static str) -> Result<OffsetDateTime, Damage> {
        let nanos = i128::from(self.number(name, field)?) * 1_000_000;
        OffsetDateTime::from_unix_timestamp_nanos(nanos).map_err(|_| Damage { field })
    }

    fn text(&self, name: &[u8], field: &'static str) -> Result<Option<String>, Damage> {
        let text = self.get(name).map(|value| String::from_utf8(value.to_vec()));
        text.transpose().map_err(|_| Damage { field })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(replaced: &[(&str, &str)]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut fields = vec![
            ("\0f", "1"),
            ("\0v", "3"),
            ("\0u", "alice"),
            ("\0c", "1700000000000"),
            ("\0s", "1700000001234"),
            ("\0i", "1800000"),
            ("\0e", "1700043200000"),
            ("\0z", "11"),
            ("cart", "[1, 2]"),
            ("bad", "{"),
        ];
        for field in &mut fields {
            if let Some(new) = replaced.iter().find(|new| new.0 == field.0) {
                *field = *new;
            }
        }
        let fields = fields.into_iter().filter(|field| !field.1.is_empty());
        fields.map(|(name, value)| (name.into(), value.into())).collect()
    }

    #[test]
    fn a_stored_record_is_read_as_ever() {
        let record = decode(fields(&[]), None).unwrap().unwrap();
        assert_eq!(record.version, Version(3));
        assert_eq!(record.user.as_deref(), Some("alice"));
        assert_eq!(record.created.unix_timestamp(), 1_700_000_000);
        assert_eq!(record.last_seen.unix_timestamp_nanos(), 1_700_000_001_234_000_000);
        assert_eq!(record.idle_timeout, Duration::from_secs(1800));
        assert_eq!(record.absolute_end.unix_timestamp(), 1_700_043_200);
        assert_eq!(record.data["cart"].as_bytes(), b"[1, 2]");
        assert_eq!(record.data["bad"].as_bytes(), b"{");
        assert_eq!(record.data.len(), 2);
    }

    #[test]
    fn a_damaged_record_is_none() {
        for (name, wrong) in [
            ("\0f", "2"),
            ("\0f", ""),
            ("\0v", ""),
            ("\0v", "x"),
            ("\0v", "+1"),
            ("\0v", "99999999999999999999"),
            ("\0c", "-1"),
            ("\0s", "1.5"),
            ("\0i", " 1"),
            ("\0e", "9999999999999999"),
            ("\0z", "much"),
        ] {
            assert!(decode(fields(&[(name, wrong)]), None).is_err(), "{name:?} {wrong:?}");
        }
        assert!(decode([(b"cart".to_vec(), b"1".to_vec())], None).is_err());
    }

    #[test]
    fn nothing_and_a_marker_are_no_records() {
        assert_eq!(decode([], None), Ok(None));
        let marker = [(b"\0m".to_vec(), b"0".repeat(32)), (b"\0l".to_vec(), b"0".to_vec())];
        assert_eq!(decode(marker, None), Ok(None));
    }

    #[test]
    fn lengths_of_time_have_an_end() {
        assert_eq!(millis(Duration::from_micros(1999)), 1);
        assert_eq!(millis(Duration::MAX), LONGEST_LIFE_MS);
    }
}
