//! How a record is stored: a hash with a field for each key of the data, which holds the value's JSON text, and fields
//! whose names begin with NUL, which `scripts/record.lua` lists.

use std::{str, time::Duration};

use redis::Cmd;
use session_core::{
    About, Data, Delta, Lifetime, Loaded, Marker, Record, RenewalNonce, Seal, SessionId, Value, Version,
};
use time::OffsetDateTime;

/// The fields of a record, or of a marker, that are none of its data.
pub(crate) const META: [&[u8]; 12] = [
    FORMAT,
    VERSION,
    USER,
    CREATED,
    LAST_SEEN,
    IDLE,
    ABSOLUTE_END,
    SIZE,
    SUCCESSOR,
    BY_LOGIN,
    LOCK,
    ABOUT,
];

const FORMAT: &[u8] = b"\0f";
const VERSION: &[u8] = b"\0v";
const USER: &[u8] = b"\0u";
const CREATED: &[u8] = b"\0c";
const LAST_SEEN: &[u8] = b"\0s";
const IDLE: &[u8] = b"\0i";
const ABSOLUTE_END: &[u8] = b"\0e";
const SIZE: &[u8] = b"\0z";
const SUCCESSOR: &[u8] = b"\0m";
const BY_LOGIN: &[u8] = b"\0l";
const LOCK: &[u8] = b"\0k";
const ABOUT: &[u8] = b"\0a";
const SEAL: &[u8] = b"\0w";
const RENEWAL: &[u8] = b"\0r";
const RENEWED: &[u8] = b"\0t";
const NONCE: &[u8] = b"\0n";

/// No session lives longer than this, a thousand years, so that times stay within the calendar.
const LONGEST_LIFE_MS: u64 = 31_557_600_000_000;

/// What is at a session's key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Record(Box<Record>),
    /// The session was renewed.
    Marker {
        /// The id that came after.
        successor: SessionId,
        /// Whether it was a login, from which nothing leads on.
        by_login: bool,
        nonce: Option<RenewalNonce>,
        renewed: OffsetDateTime,
    },
    Nothing,
}

impl Found {
    /// What a load of this id answers at `now`. As long as no clock was read nothing is known of a marker's age.
    pub(crate) fn loaded(self, id: &SessionId, now: Option<OffsetDateTime>) -> Loaded {
        match (self, now) {
            (Self::Record(record), _) => Loaded::Live(*id, record),
            (
                Self::Marker {
                    successor,
                    nonce,
                    renewed,
                    ..
                },
                Some(now),
            ) => {
                let mut marker = Marker::new(*id, successor);
                marker.nonce = nonce;
                marker.age = (now - renewed).try_into().unwrap_or_default();
                Loaded::Renewed(marker)
            }
            _ => Loaded::Missing,
        }
    }
}

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

/// Adds what a delta sets to a script's arguments: each key and its value.
pub(crate) fn add_pairs(command: &mut Cmd, delta: &Delta) {
    for (key, value) in delta.sets() {
        command.arg(key).arg(value.as_bytes());
    }
}

/// The fields of a session that begins, or of a login, which are none of its data and which not every session has.
pub(crate) fn optional_fields(
    lifetime: Option<&Lifetime>,
    about: &About,
    seal: Option<&Seal>,
) -> Vec<(&'static [u8], Vec<u8>)> {
    let span = |name, span| Some((name, millis(span?).to_string().into_bytes()));
    let lock = span(LOCK, lifetime.and_then(|lifetime| lifetime.lock));
    let renewal = span(RENEWAL, lifetime.and_then(|lifetime| lifetime.renewal));
    let about = about.to_json().map(|json| (ABOUT, json.into_bytes()));
    let seal = seal.map(|seal| (SEAL, seal.as_bytes().to_vec()));
    [lock, renewal, about, seal].into_iter().flatten().collect()
}

/// Adds a delta to a script's arguments: how many keys it sets, each and its value, then the keys it removes.
pub(crate) fn add_changes(command: &mut Cmd, delta: &Delta) {
    command.arg(delta.sets().count());
    add_pairs(command, delta);
    for key in delta.removals() {
        command.arg(key);
    }
}

/// Adds a user who may be none to a script's arguments.
pub(crate) fn add_user(command: &mut Cmd, user: Option<&str>) {
    command.arg(u8::from(user.is_some())).arg(user.unwrap_or_default());
}

/// What the fields of a hash are, read at `now`.
///
/// Whatever is wrong with one value is left for who asks for it (promise P12).
pub(crate) fn decode(
    fields: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>,
    now: Option<OffsetDateTime>,
) -> Result<Found, Damage> {
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
    if let Some(successor) = meta.get(SUCCESSOR) {
        if successor.is_empty() {
            // `scripts/bar.lua` put it there.
            return Ok(Found::Nothing);
        }
        let successor = str::from_utf8(successor).ok().and_then(|id| id.parse().ok());
        let nonce = meta.get(NONCE).and_then(|nonce| nonce.try_into().ok());
        return Ok(Found::Marker {
            successor: successor.ok_or(Damage { field: "successor" })?,
            by_login: meta.get(BY_LOGIN) != Some(b"0"),
            nonce: nonce.map(RenewalNonce::from_bytes),
            renewed: meta.time(LAST_SEEN, "renewed")?,
        });
    }
    if data.is_empty() && meta.0.is_empty() {
        return Ok(Found::Nothing);
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
    record.lock = meta.span(LOCK, "lock")?;
    record.renewal = meta.span(RENEWAL, "renewal")?;
    if meta.get(RENEWED).is_some() {
        record.renewed = meta.time(RENEWED, "renewed")?;
    }
    record.about = meta
        .text(ABOUT, "about")?
        .map_or_else(About::default, |text| About::from_json(&text));
    record.seal = meta.get(SEAL).map(|seal| Seal::from_bytes(seal.to_vec()));
    // The clock may be a little late.
    record.loaded_at = now.map_or(record.last_seen, |now| now.max(record.last_seen));
    Ok(Found::Record(Box::new(record)))
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

    /// A length of time that not every record has.
    fn span(&self, name: &[u8], field: &'static str) -> Result<Option<Duration>, Damage> {
        let ms = self.get(name).map(|_| self.number(name, field));
        ms.transpose().map(|ms| ms.map(Duration::from_millis))
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
        let Found::Record(record) = decode(fields(&[]), None).unwrap() else {
            panic!("it is a record");
        };
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
        assert_eq!(decode([], None), Ok(Found::Nothing));
        let id = "0123456789abcdef0123456789abcdef";
        let fields = |by_login: &'static str| [("\0m", id), ("\0l", by_login), ("\0s", "1700000000000")];
        let marker = |fields: Vec<(&str, &str)>| {
            let fields = fields.into_iter().map(|(name, value)| (name.into(), value.into()));
            decode(fields, None)
        };
        let expected = |by_login, nonce| Found::Marker {
            successor: id.parse().unwrap(),
            by_login,
            nonce,
            renewed: OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap(),
        };
        assert_eq!(marker(fields("0").into()), Ok(expected(false, None)));
        assert_eq!(marker(fields("1").into()), Ok(expected(true, None)));
        let by_time = [fields("0").as_slice(), &[("\0n", "0123456789abcdef")]].concat();
        let nonce = RenewalNonce::from_bytes(*b"0123456789abcdef");
        assert_eq!(marker(by_time), Ok(expected(false, Some(nonce))));
        assert_eq!(
            marker(vec![("\0m", ""), ("\0l", "1"), ("\0s", "1")]),
            Ok(Found::Nothing)
        );
        assert!(marker(vec![("\0m", "?"), ("\0l", "0"), ("\0s", "1700000000000")]).is_err());
        assert!(marker(vec![("\0m", id), ("\0l", "0")]).is_err());
    }

    #[test]
    fn lengths_of_time_have_an_end() {
        assert_eq!(millis(Duration::from_micros(1999)), 1);
        assert_eq!(millis(Duration::MAX), LONGEST_LIFE_MS);
    }
}
