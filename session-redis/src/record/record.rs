//! How a record is stored: a hash with a field for each key of the data, which holds the value's JSON text, and fields
//! whose names begin with NUL, which `scripts/record.lua` lists.

use std::{str, time::Duration};

use bytes::Bytes;
use redis::Cmd;
use session_core::{About, Data, Delta, Loaded, Marker, Record, RenewalNonce, Seal, SessionId, Value, Version};
use time::OffsetDateTime;

use super::head::{Head, MARKER, RECORD};

/// The fields of a record, or of a marker, that are none of its data, nor what opens that.
pub(crate) const META: [&[u8]; 3] = [HEAD, USER, ABOUT];

const HEAD: &[u8] = b"\0h";
const USER: &[u8] = b"\0u";
const ABOUT: &[u8] = b"\0a";
const SEAL: &[u8] = b"\0w";

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
#[error("its {what} is missing or damaged")]
pub(crate) struct Damage {
    pub(crate) what: &'static str,
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

/// The field that says whose a session is, if it is somebody's.
pub(crate) fn user_field(user: Option<&str>) -> Option<(&'static [u8], &[u8])> {
    user.map(|user| (USER, user.as_bytes()))
}

/// The fields of a session that begins, or of a login, which not every session has.
pub(crate) fn optional_fields(about: &About, seal: Option<&Seal>) -> Vec<(&'static [u8], Vec<u8>)> {
    let about = about.to_json().map(|json| (ABOUT, json.into_bytes()));
    let seal = seal.map(|seal| (SEAL, seal.as_bytes().to_vec()));
    [about, seal].into_iter().flatten().collect()
}

/// Adds a delta to a script's arguments: how many keys it removes, each that it sets and its value, then those removed.
pub(crate) fn add_changes(command: &mut Cmd, delta: &Delta) {
    command.arg(delta.removals().count());
    add_pairs(command, delta);
    for key in delta.removals() {
        command.arg(key);
    }
}

/// What the fields of a hash are, read at `now`. They are in `whole`, whose memory the values share.
///
/// Whatever is wrong with one value is left for who asks for it (promise P12).
pub(crate) fn decode<'a>(
    whole: &Bytes,
    fields: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    now: Option<OffsetDateTime>,
) -> Result<Found, Damage> {
    let (mut data, mut head, mut user, mut about, mut seal) = (Data::new(), None, None, None, None);
    for (name, value) in fields {
        match name {
            HEAD => head = Some(value),
            USER => user = Some(value),
            ABOUT => about = Some(value),
            SEAL => seal = Some(value),
            [0, ..] => {}
            _ => {
                if let Ok(key) = str::from_utf8(name) {
                    data.insert(key.to_owned(), Value::from_json(whole.slice_ref(value)));
                }
            }
        }
    }
    let Some(head) = head else {
        let is_empty = data.is_empty() && user.is_none() && about.is_none() && seal.is_none();
        return is_empty.then_some(Found::Nothing).ok_or(Damage { what: "head" });
    };
    let mut head = Head(head);
    match head.byte("format")? {
        RECORD => {}
        MARKER => return decode_marker(head),
        _ => return Err(Damage { what: "format" }),
    }
    let version = Version(head.number("version")?);
    // Not told: the scripts keep it up.
    let _size = head.number("size")?;
    let last_seen = head.time("last activity")?;
    let created = head.time("creation")?;
    let renewed = head.time("renewal")?;
    let absolute_end = head.time("absolute end")?;
    let mut record = Record::new(created, head.span("idle timeout")?, absolute_end);
    record.version = version;
    record.last_seen = last_seen;
    record.renewed = renewed;
    let spans = [head.span("time to the lock")?, head.span("time to a renewal")?];
    [record.lock, record.renewal] = spans.map(|span| Some(span).filter(|span| !span.is_zero()));
    let user = user.map(str::from_utf8).transpose();
    record.user = user.map_err(|_| Damage { what: "user" })?.map(str::to_owned);
    record.data = data;
    if let Some(about) = about {
        let text = str::from_utf8(about).map_err(|_| Damage { what: "about" })?;
        record.about = About::from_json(text);
    }
    record.seal = seal.map(|seal| Seal::from_bytes(whole.slice_ref(seal)));
    // The clock may be a little late.
    record.loaded_at = now.map_or(record.last_seen, |now| now.max(record.last_seen));
    Ok(Found::Record(Box::new(record)))
}

/// What the rest of a marker's head says.
fn decode_marker(mut head: Head<'_>) -> Result<Found, Damage> {
    let by_login = head.byte("kind of renewal")? != 0;
    let renewed = head.time("time")?;
    if head.0.is_empty() {
        // `scripts/bar.lua` put it there.
        return Ok(Found::Nothing);
    }
    let what = "successor";
    let successor: &[u8; 2 * SessionId::LEN] = head.bytes(what)?;
    let successor = str::from_utf8(successor).ok().and_then(|id| id.parse().ok());
    let nonce = head.0.try_into().ok().map(RenewalNonce::from_bytes);
    Ok(Found::Marker {
        successor: successor.ok_or(Damage { what })?,
        by_login,
        nonce,
        renewed,
    })
}

#[cfg(test)]
mod tests {
    use session_core::Lifetime;

    use super::*;
    use crate::record::{front, terms};

    /// A head of numbers between a first byte and an end.
    fn head(first: &[u8], numbers: &[u64], end: &[u8]) -> Vec<u8> {
        let numbers = numbers.iter().flat_map(|number| number.to_be_bytes()[2..].to_vec());
        [first, &numbers.collect::<Vec<_>>(), end].concat()
    }

    const CREATED: u64 = 1_700_000_000_000;
    const NUMBERS: [u64; 9] = [
        3,
        11,
        CREATED + 1234,
        CREATED,
        CREATED + 1000,
        CREATED + 43_200_000,
        1_800_000,
        0,
        60_000,
    ];

    fn read(head: &[u8]) -> Result<Found, Damage> {
        read_fields(&[HEAD, head, USER, b"alice", b"cart", b"[1, 2]", b"bad", b"{"])
    }

    /// Reads names and values in turn.
    fn read_fields(strings: &[&[u8]]) -> Result<Found, Damage> {
        let whole = Bytes::from(strings.concat());
        let mut rest = &whole[..];
        let mut next = |string: &[u8]| rest.split_off(..string.len()).unwrap();
        let fields: Vec<_> = strings
            .as_chunks::<2>()
            .0
            .iter()
            .map(|field| field.map(&mut next).into())
            .collect();
        decode(&whole, fields, None)
    }

    #[test]
    fn a_stored_record_is_read_as_ever() {
        let Ok(Found::Record(record)) = read(&head(&[1], &NUMBERS, b"")) else {
            panic!("it is a record");
        };
        assert_eq!(record.version, Version(3));
        assert_eq!(record.user.as_deref(), Some("alice"));
        assert_eq!(record.created.unix_timestamp(), 1_700_000_000);
        assert_eq!(record.last_seen.unix_timestamp_nanos(), 1_700_000_001_234_000_000);
        assert_eq!(record.renewed.unix_timestamp(), 1_700_000_001);
        assert_eq!(record.idle_timeout, Duration::from_secs(1800));
        assert_eq!(record.absolute_end.unix_timestamp(), 1_700_043_200);
        assert_eq!(record.lock, None);
        assert_eq!(record.renewal, Some(Duration::from_secs(60)));
        assert_eq!(record.data["cart"].as_bytes(), b"[1, 2]");
        assert_eq!(record.data["bad"].as_bytes(), b"{");
        assert_eq!(record.data.len(), 2);
    }

    #[test]
    fn what_begins_has_the_front_the_terms_and_the_user_that_are_read() {
        let hour = Duration::from_secs(3600);
        let lifetime = Lifetime::default().lock_after(Duration::ZERO).renew_every(hour);
        for user in [None, Some(""), Some("älice")] {
            let head = head(&front(11), &NUMBERS[2..6], &terms(&lifetime));
            let mut fields = vec![HEAD, &head];
            fields.extend(user_field(user).into_iter().flat_map(<[&[u8]; 2]>::from));
            let Ok(Found::Record(record)) = read_fields(&fields) else {
                panic!("it is a record");
            };
            assert_eq!(record.version, Version(1));
            assert_eq!(record.idle_timeout, lifetime.idle);
            assert_eq!(record.lock, Some(Duration::from_millis(1)));
            assert_eq!(record.renewal, lifetime.renewal);
            assert_eq!(record.user.as_deref(), user);
        }
    }

    #[test]
    fn a_damaged_record_is_none() {
        let whole = head(&[1], &NUMBERS, b"");
        assert!(read(&whole).is_ok());
        for length in 0..whole.len() {
            assert!(read(&whole[..length]).is_err(), "{length}");
        }
        assert!(read_fields(&[HEAD, &whole, USER, b"\xff"]).is_err());
        assert!(read(&head(&[3], &NUMBERS, b"")).is_err());
        for (time, beyond) in [2, 3, 4, 5].map(|i| (i, (1 << 48) - 1)) {
            let mut numbers = NUMBERS;
            numbers[time] = beyond;
            assert!(read(&head(&[1], &numbers, b"")).is_err(), "{time}");
        }
        assert!(read_fields(&[b"cart", b"1"]).is_err());
        assert!(read_fields(&[USER, b"alice"]).is_err());
    }

    #[test]
    fn nothing_and_a_marker_are_no_records() {
        assert_eq!(read_fields(&[]), Ok(Found::Nothing));
        let id = "0123456789abcdef0123456789abcdef";
        let expected = |by_login, nonce| Found::Marker {
            successor: id.parse().unwrap(),
            by_login,
            nonce,
            renewed: OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap(),
        };
        let marker = |by_login: u8, end: &str| read(&head(&[2, by_login], &[CREATED], end.as_bytes()));
        assert_eq!(marker(0, id), Ok(expected(false, None)));
        assert_eq!(marker(1, id), Ok(expected(true, None)));
        let nonce = RenewalNonce::from_bytes(*b"0123456789abcdef");
        assert_eq!(
            marker(0, &format!("{id}0123456789abcdef")),
            Ok(expected(false, Some(nonce)))
        );
        assert_eq!(marker(1, ""), Ok(Found::Nothing));
        assert!(marker(0, "?").is_err());
        assert!(marker(0, &id.replace('0', "?")).is_err());
        assert!(read(&[2, 0, 1]).is_err());
    }

    #[test]
    fn lengths_of_time_have_an_end() {
        assert_eq!(millis(Duration::from_micros(1999)), 1);
        assert_eq!(millis(Duration::MAX), LONGEST_LIFE_MS);
    }
}
