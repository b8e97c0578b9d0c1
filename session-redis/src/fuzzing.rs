//! What the targets in `fuzz/` reach into, and tests; there only with the cfg that cargo-fuzz sets.

use std::{collections::HashSet, str};

use bytes::Bytes;
use redis::Value;
use session_core::SessionId;
use time::OffsetDateTime;

use crate::{
    RedisOptions,
    announcement::Announcement,
    cluster::{Redirect, Slot, Table, read_slots},
    record::{Found, decode},
    reply::{Reply, read_time},
    servers::read_primary,
    users::List,
    wire::{Address, answer},
};

/// The parts of an input: what stands between its line feeds.
fn parts(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n')
}

fn bulk(part: &[u8]) -> Value {
    Value::BulkString(part.to_vec())
}

/// Reads a hash, whose fields are the names and values in turn that `text` has, into a record that has its data byte
/// for byte, or into none.
///
/// # Panics
///
/// If it does not.
pub fn record(text: &[u8]) {
    let whole = Bytes::copy_from_slice(text);
    let pairs: Vec<_> = parts(&whole).collect();
    let fields = pairs.as_chunks::<2>().0;
    for now in [None, OffsetDateTime::from_unix_timestamp(1_700_000_000).ok()] {
        let Ok(Found::Record(record)) = decode(&whole, fields.iter().map(|field| (*field).into()), now) else {
            continue;
        };
        for (key, value) in &record.data {
            let is_there = |[name, text]: &[&[u8]; 2]| *name == key.as_bytes() && *text == value.as_bytes();
            assert!(pairs.as_chunks::<2>().0.iter().any(is_there));
            assert!(!key.starts_with('\0'));
        }
        // Whatever times it has, they can be judged.
        let _judged = (
            record.expires(),
            record.is_locked(record.loaded_at),
            record.authenticated(),
        );
        let _shown = format!("{record:?}");
    }
}

/// Reads a user's list, whose members are the parts of `text`, into the ids that are there, and each once.
///
/// # Panics
///
/// If it does not.
pub fn list(text: &[u8]) {
    let members: Vec<_> = parts(text).map(bulk).collect();
    let list = List::of(&members);
    let ids = list.ids();
    let expected: HashSet<SessionId> = parts(text)
        .filter_map(|part| str::from_utf8(part).ok()?.parse().ok())
        .collect();
    assert_eq!(ids.len(), expected.len());
    assert!(ids.iter().all(|id| expected.contains(id) && list.contains(id)));
}

/// Reads a script's answer, or a time, whose parts `text` has, into an outcome or an error.
pub fn reply(text: &[u8]) {
    let answer = Value::Array(parts(text).map(bulk).collect());
    let _time = read_time(&answer);
    let _outcome = Reply::read(Some(answer)).and_then(|reply| reply.version(1));
}

/// Reads an answer as the driver does, or not at all, and no further than it goes.
///
/// # Panics
///
/// If it does not.
pub fn answer(bytes: &[u8]) {
    assert!(answer::length(bytes).is_none_or(|length| length <= bytes.len()));
    if let Some(strings) = answer::strings(bytes) {
        assert!(strings.into_iter().flatten().map(<[u8]>::len).sum::<usize>() < bytes.len());
    }
    if let (Ok(said), Ok(expected)) = (answer::read(bytes), redis::parse_redis_value(bytes)) {
        // A number may be one that equals nothing.
        assert_eq!(format!("{said:?}"), format!("{expected:?}"));
    }
}

/// Reads nothing out of a message but what it says.
///
/// # Panics
///
/// If it does.
pub fn announcement(message: &[u8]) {
    let said = match Announcement::read(message) {
        Some(Announcement::Ended(id)) => id.to_string(),
        Some(Announcement::Renewed(from, to)) => format!("{from}>{to}"),
        None => return,
    };
    assert!(message.eq_ignore_ascii_case(said.as_bytes()), "{said}");
}

/// Reads what servers say of each other, an answer of which `text` has the words, as nothing or as far as it makes
/// sense.
///
/// # Panics
///
/// If a slot is found that no server has.
pub fn topology(text: &[u8]) {
    let from = Address::new("here", 1);
    let words: Vec<_> = parts(text).map(bulk).collect();
    let _primary = read_primary(&Value::Array(words.clone()));
    let range = |range: &[Value]| {
        let server = Value::Array(range[2..].to_vec());
        Value::Array(vec![range[0].clone(), range[1].clone(), server])
    };
    let answer = Value::Array(words.as_chunks::<4>().0.iter().map(|words| range(words)).collect());
    if let Some(ranges) = read_slots(&answer, &from) {
        let table = Table::new(&ranges, |_| ());
        for slot in [0, 1, 9_000, u16::MAX] {
            let owner = table.owner(Slot(slot)).map(|(address, ())| address);
            assert!(owner.is_none_or(|owner| table.primaries().iter().any(|(address, ())| address == owner)));
        }
    }
    let line = [b"-", parts(text).next().unwrap_or_default(), b"\r\n"].concat();
    if let Ok(said) = redis::parse_redis_value(&line) {
        let _redirect = Redirect::read(&said, &from);
    }
    if let Ok(url) = str::from_utf8(text) {
        let _options = RedisOptions::from_url(url);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const META: &str = "huaw";

    /// The head of a record, without a line feed.
    const HEAD: &[u8] =
        b"\x01\0\0\0\0\0\x03\0\0\0\0\0\x0b\x01\x8b\xcf\xe5l\xd2\x01\x8b\xcf\xe5h\0\x01\x8b\xcf\xe5k\xe8\
                          \x01\x8b\xd2x\x96\0\0\0\0\x1bw@\0\0\0\0\0\0\0\0\0\t'\xc0";

    /// Things like those that are read, and others.
    fn part() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            (0..META.len()).prop_map(|i| vec![0, META.as_bytes()[i]]),
            "[0-9]{1,20}".prop_map(String::into_bytes),
            "[+]?[0-9a-fA-F]{32}(>[0-9a-f]{32})?".prop_map(String::into_bytes),
            "done|moved|spare|conflict|too large|1".prop_map(String::into_bytes),
            prop::collection::vec(any::<u8>(), 0..20),
        ]
    }

    fn text() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(part(), 0..30).prop_map(|parts| parts.join(&b'\n'))
    }

    /// A record that is whole but for one field, whatever that is, and for a byte of its head.
    fn damaged() -> impl Strategy<Value = Vec<u8>> {
        let rest = b"\0u\nalice\n\0a\n{\"label\":\"Firefox\"}\n\0w\nseal\ncart\n[1]";
        let rest = rest.split(|byte| *byte == b'\n').map(<[u8]>::to_vec);
        let parts: Vec<_> = [b"\0h".to_vec(), HEAD.to_vec()].into_iter().chain(rest).collect();
        (0..=parts.len(), part(), 0..HEAD.len(), any::<u8>()).prop_map(move |(at, other, place, byte)| {
            let mut parts = parts.clone();
            parts[1][place] = byte;
            if let Some(part) = parts.get_mut(at) {
                *part = other;
            }
            parts.join(&b'\n')
        })
    }

    fn what_servers_say() -> impl Strategy<Value = Vec<u8>> {
        let word = prop_oneof![
            "ip|port|config-epoch|10.0.0.1|::1|here|".prop_map(String::into_bytes),
            "(MOVED|ASK|TRYAGAIN|LOADING) [0-9]{1,5} [a-z.:]{0,9}(:[0-9]{0,6})?".prop_map(String::into_bytes),
            "(redis|rediss)(-sentinel|-cluster)?://([a-z%2]{0,4}:[a-z%]{0,4}@)?[a-z0-9,:\\[\\].]{0,12}(/[a-z0-9/]{0,5})?"
                .prop_map(String::into_bytes),
            "[0-9]{1,6}".prop_map(String::into_bytes),
            part(),
        ];
        prop::collection::vec(word, 0..20).prop_map(|words| words.join(&b'\n'))
    }

    proptest! {
        #[test]
        fn a_hash_is_read_as_it_is_or_not_at_all(text in prop_oneof![text(), damaged()]) {
            record(&text);
        }

        #[test]
        fn a_list_has_the_ids_that_are_on_it(text in text()) {
            list(&text);
        }

        #[test]
        fn an_answer_is_an_outcome_or_an_error(text in text()) {
            reply(&text);
        }

        #[test]
        fn bytes_are_read_as_the_driver_reads_them(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            answer(&bytes);
        }

        #[test]
        fn what_servers_say_of_each_other_is_read_as_far_as_it_makes_sense(text in what_servers_say()) {
            topology(&text);
        }

        #[test]
        fn an_announcement_says_what_it_says(message in part()) {
            announcement(&message);
        }
    }
}
