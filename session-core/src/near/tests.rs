//! What is kept and what is not, in forced orders.

use std::time::{Duration, Instant};

use time::OffsetDateTime;

use super::{NearCache, NearLink};
use crate::{Delta, Loaded, Record, SessionId, Update, Value, Version};

const HOUR: Duration = Duration::from_secs(3600);

/// When no test is running any more.
fn soon() -> Instant {
    Instant::now() + HOUR
}

fn id(number: u8) -> SessionId {
    SessionId::from_bytes([number; 16])
}

fn record(version: u64) -> Record {
    let now = OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap();
    let mut record = Record::new(now, HOUR, now + HOUR * 12);
    record.version = Version(version);
    record.data.insert("n".into(), Value::encode(&version).unwrap());
    record
}

fn live(number: u8, version: u64) -> Loaded {
    Loaded::Live(id(number), Box::new(record(version)))
}

fn update() -> Update {
    let mut delta = Delta::default();
    delta.set("m", Value::encode("new").unwrap()).unwrap();
    Update::new(delta)
}

/// A cache with a link that lives.
struct Given {
    cache: NearCache,
    link: NearLink,
}

impl Given {
    fn new() -> Self {
        let cache = NearCache::new(1 << 20, NearCache::LEASE);
        let link = cache.link();
        link.prove(soon());
        Self { cache, link }
    }

    fn read(&self, ids: &[SessionId], loaded: &Loaded) {
        self.cache.keep(self.cache.begin(), ids, loaded);
    }

    /// The version of the session that is served.
    fn version(&self, ids: &[SessionId]) -> Option<u64> {
        match self.cache.get(ids)? {
            Loaded::Live(_, record) => Some(record.version.0),
            other => panic!("{other:?}"),
        }
    }
}

/// Whatever says that the session may not be what it was.
const CHANGES: [fn(&Given); 5] = [
    |given| given.link.changed(&id(1)),
    |given| given.link.changed_to(&id(1), Version(4)),
    |given| given.link.all_changed(),
    |given| drop(given.cache.change(&id(1))),
    |given| given.cache.clear(),
];

#[test]
fn what_was_read_is_served_until_it_changes() {
    let given = Given::new();
    for change in CHANGES {
        given.read(&[id(1)], &live(1, 3));
        assert_eq!(given.version(&[id(1)]), Some(3));
        assert_eq!(given.version(&[id(2)]), None);
        change(&given);
        assert_eq!(given.version(&[id(1)]), None);
    }
}

#[test]
fn a_load_that_a_change_overtakes_is_not_kept() {
    let given = Given::new();
    let more: [fn(&Given); 2] = [
        |given| given.cache.change(&id(1)).done(&update(), Version(4)),
        |given| drop(given.cache.link()),
    ];
    for change in CHANGES.into_iter().chain(more) {
        let reading = given.cache.begin();
        change(&given);
        given.cache.keep(reading, &[id(1)], &live(1, 3));
        given.link.prove(soon());
        assert_eq!(given.version(&[id(1)]), None);
    }
}

#[test]
fn nothing_is_served_without_a_link_nor_what_was_read_before_it_was_back() {
    let cache = NearCache::new(1 << 20, NearCache::LEASE);
    let given = |link| Given {
        cache: cache.clone(),
        link,
    };
    let first = given(cache.link());
    first.read(&[id(1)], &live(1, 3));
    assert_eq!(first.version(&[id(1)]), None, "it is not proven to live");
    first.link.prove(soon());
    assert_eq!(first.version(&[id(1)]), Some(3));
    let reading = cache.begin();
    drop(first);
    cache.keep(reading, &[id(1)], &live(1, 3));
    assert!(cache.get(&[id(1)]).is_none());
    cache.keep(cache.begin(), &[id(1)], &live(1, 3));

    let second = given(cache.link());
    second.link.prove(soon());
    assert_eq!(second.version(&[id(1)]), None);
    second.read(&[id(1)], &live(1, 4));
    assert_eq!(second.version(&[id(1)]), Some(4));
}

#[test]
fn an_older_link_neither_proves_nor_ends_anything() {
    let cache = NearCache::new(1 << 20, NearCache::LEASE);
    let (old, new) = (cache.link(), cache.link());
    old.prove(soon());
    cache.keep(cache.begin(), &[id(1)], &live(1, 3));
    assert!(cache.get(&[id(1)]).is_none());
    new.prove(soon());
    assert!(cache.get(&[id(1)]).is_some());
    drop(old);
    cache.keep(cache.begin(), &[id(1)], &live(1, 3));
    assert!(cache.get(&[id(1)]).is_some());
}

#[test]
fn a_lease_begins_when_the_proof_was_asked_for() {
    for (asked, lease) in [(0, Duration::ZERO), (500, NearCache::LEASE), (1, HOUR)] {
        let [shortest, longest] = [*NearCache::LEASES.start(), *NearCache::LEASES.end()];
        let cache = NearCache::new(1 << 20, lease);
        assert_eq!(cache.lease(), lease.clamp(shortest, longest));
        let sent = Instant::now() + Duration::from_millis(asked);
        let link = cache.link();
        link.prove(sent);
        let lifeline = cache.lifeline();
        assert!(lifeline.holds(sent + cache.lease() - Duration::from_millis(1)));
        assert!(!lifeline.holds(sent + cache.lease()));
    }
}

#[test]
fn nothing_is_served_for_longer_than_ten_seconds() {
    let given = Given::new();
    for (age, expected) in [(9, Some(3)), (10, None)] {
        let mut reading = given.cache.begin();
        reading.began -= Duration::from_secs(age);
        given.cache.keep(reading, &[id(1)], &live(1, 3));
        assert_eq!(given.version(&[id(1)]), expected, "{age}");
    }
}

#[test]
fn what_a_load_finds_over_is_forgotten() {
    let given = Given::new();
    for (ids, loaded) in [(vec![id(1)], Loaded::Missing), (vec![id(1), id(2)], live(2, 1))] {
        given.read(&[id(1)], &live(1, 3));
        given.read(&ids, &loaded);
        assert_eq!(given.version(&[id(1)]), None);
    }
}

#[test]
fn values_weigh_as_much_as_the_answer_that_they_are_parts_of() {
    let given = Given::new();
    for number in 0..=255 {
        let mut large = record(1);
        large
            .data
            .insert("large".into(), Value::encode(&"x".repeat(10_000)).unwrap());
        given.read(&[id(number)], &Loaded::Live(id(number), Box::new(large)));
        let mut delta = Delta::default();
        delta.remove("large");
        given.cache.change(&id(number)).done(&Update::new(delta), Version(2));
    }
    let kept = (0..=255).filter(|number| given.version(&[id(*number)]).is_some());
    let kept = kept.count();
    assert!((50..=105).contains(&kept), "{kept}");
}

#[test]
fn a_change_of_this_instances_is_served_at_once() {
    let given = Given::new();
    given.read(&[id(1)], &live(1, 3));
    given.cache.change(&id(1)).done(&update(), Version(4));
    let Some(Loaded::Live(_, now)) = given.cache.get(&[id(1)]) else {
        panic!("it is served");
    };
    assert_eq!(now.version, Version(4));
    assert_eq!(now.data["m"], Value::encode("new").unwrap());
    assert_eq!(now.data["n"], Value::encode(&3).unwrap());
    // The news of it come later.
    given.link.changed_to(&id(1), Version(4));
    assert_eq!(given.version(&[id(1)]), Some(4));
    given.link.changed_to(&id(1), Version(5));
    assert_eq!(given.version(&[id(1)]), None);
}

#[test]
fn what_else_a_change_may_have_brought_is_for_the_store_to_tell() {
    let given = Given::new();
    let mut sealing = update();
    sealing.seal = Some(crate::Seal::from_bytes(vec![1]));
    for (update, version) in [(update(), 5), (update().touching(), 4), (sealing, 4)] {
        given.read(&[id(1)], &live(1, 3));
        given.cache.change(&id(1)).done(&update, Version(version));
        assert_eq!(given.version(&[id(1)]), None, "{update:?}");
    }
    given.cache.change(&id(1)).done(&update(), Version(4));
    assert_eq!(given.version(&[id(1)]), None, "it was not read");
}

#[test]
fn ids_before_it_were_asked_for_too() {
    let given = Given::new();
    given.read(&[id(8), id(9), id(1)], &live(1, 3));
    for ids in [&[id(1)][..], &[id(9), id(1)], &[id(9), id(8), id(1), id(7)]] {
        assert_eq!(given.version(ids), Some(3), "{ids:?}");
    }
    // It may be a live session, which comes first.
    assert_eq!(given.version(&[id(7), id(1)]), None);
    given.read(&[id(9)], &Loaded::Missing);
    assert_eq!(given.version(&[id(9)]), None);
}

#[test]
fn only_the_store_calls_a_session_over_or_locked() {
    let given = Given::new();
    let mut expired = record(3);
    expired.absolute_end = expired.loaded_at;
    let mut locked = record(3);
    locked.lock = Some(Duration::ZERO);
    for record in [expired, locked] {
        given.read(&[id(1)], &Loaded::Live(id(1), Box::new(record)));
        assert_eq!(given.version(&[id(1)]), None);
    }
}

#[test]
fn time_goes_on_for_what_is_kept() {
    let given = Given::new();
    let read = record(3);
    given.read(&[id(1)], &Loaded::Live(id(1), Box::new(read.clone())));
    let Some(Loaded::Live(_, first)) = given.cache.get(&[id(1)]) else {
        panic!("it is served");
    };
    let Some(Loaded::Live(_, second)) = given.cache.get(&[id(1)]) else {
        panic!("it is served");
    };
    assert!(read.loaded_at < first.loaded_at && first.loaded_at < second.loaded_at);
    assert_eq!(second.last_seen, read.last_seen);
}

#[test]
fn it_takes_no_more_room_than_it_may() {
    let given = Given::new();
    let mut large = record(1);
    large
        .data
        .insert("large".into(), Value::encode(&"x".repeat(10_000)).unwrap());
    for number in 0..=255 {
        given.read(&[id(number)], &Loaded::Live(id(number), Box::new(large.clone())));
    }
    let kept = (0..=255).filter(|number| given.version(&[id(*number)]).is_some());
    let kept = kept.count();
    assert!((50..=105).contains(&kept), "{kept} of 10 kB in a megabyte");
}
