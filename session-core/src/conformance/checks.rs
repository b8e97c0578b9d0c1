use std::{collections::BTreeMap, fmt::Debug, time::Duration};

use time::OffsetDateTime;

use crate::{Data, Error, Value};

/// How far two times may lie apart that a store wrote in one step: some count in whole milliseconds.
const TOLERANCE: Duration = Duration::from_millis(2);

/// How far a store's clock as an instance sees it may lie from the one its records are written by.
pub(super) const CLOCK_TOLERANCE: Duration = Duration::from_millis(500);

#[track_caller]
pub(super) fn assert_ended<T: Debug>(answer: Result<T, Error>) {
    assert!(matches!(answer, Err(Error::Ended)), "not Ended: {answer:?}");
}

#[track_caller]
pub(super) fn assert_in_use<T: Debug>(answer: Result<T, Error>) {
    assert!(matches!(answer, Err(Error::IdInUse)), "not IdInUse: {answer:?}");
}

#[track_caller]
pub(super) fn assert_too_large<T: Debug>(answer: Result<T, Error>, size: u64, limit: u64) {
    match answer {
        Err(Error::TooLarge { size: s, limit: l }) => assert_eq!((s, l), (size, limit), "size and limit"),
        _ => panic!("not TooLarge: {answer:?}"),
    }
}

#[track_caller]
pub(super) fn assert_conflict<T: Debug>(answer: Result<T, Error>, current: Option<&str>) {
    match answer {
        Err(Error::Conflict { current: found }) => assert_eq!(found.as_ref().map(text).as_deref(), current),
        _ => panic!("not Conflict: {answer:?}"),
    }
}

/// Compares the texts, for `Debug` of a value does not show them.
#[track_caller]
pub(super) fn assert_data<'k, 'v>(data: &Data, expected: impl IntoIterator<Item = (&'k str, &'v str)>) {
    let found: BTreeMap<_, _> = data.iter().map(|(key, value)| (key.as_str(), text(value))).collect();
    let expected: BTreeMap<_, _> = expected.into_iter().map(|(key, text)| (key, text.to_owned())).collect();
    assert_eq!(found, expected);
}

/// The two times are the same but for rounding.
#[track_caller]
pub(super) fn assert_same_time(one: OffsetDateTime, other: OffsetDateTime) {
    let apart = (one - other).abs();
    assert!(apart <= TOLERANCE, "{one} and {other} are {apart} apart");
}

pub(super) fn text(value: &Value) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}
