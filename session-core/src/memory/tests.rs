//! What time does to a shard: the conformance suite cannot wait for five minutes, and sees nothing of the room that
//! is taken.

use std::{sync::Arc, time::Duration};

use time::OffsetDateTime;

use super::shard::{MARKER_LIFE, Shard};
use crate::{
    Delta, Error, Lifetime, Loaded, Marker, NewSession, Renewal, SessionId, SessionToken, Update, Version, Watch,
};

const START: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;
const SECOND: Duration = Duration::from_secs(1);
const BRIEF: Lifetime = Lifetime {
    idle: SECOND,
    absolute: Duration::from_secs(10),
    lock: None,
    renewal: None,
};

fn shard() -> Shard {
    Shard::new(&Arc::new(Watch::new().link()))
}

fn new_id() -> SessionId {
    SessionToken::random().unwrap().id()
}

fn created(shard: &mut Shard, now: OffsetDateTime, new: &NewSession) -> SessionId {
    let id = new_id();
    shard.create(now, &id, new).unwrap();
    id
}

fn is_live(shard: &Shard, now: OffsetDateTime, id: &SessionId) -> bool {
    matches!(shard.load(now, id), Loaded::Live(..))
}

#[test]
fn everyone_ends_and_markers_stay() {
    let mut shard = shard();
    let visitor = created(&mut shard, START, &NewSession::new(Lifetime::default()));
    let user = created(
        &mut shard,
        START,
        &NewSession::new(Lifetime::default()).with_user("alice"),
    );
    created(&mut shard, START, &NewSession::new(BRIEF));
    let renewed = new_id();
    shard.renew(START, &visitor, &renewed, &Renewal::of(None)).unwrap();
    assert_eq!(shard.end_everyone(START + SECOND), 2, "one has expired");
    for id in [visitor, user, renewed] {
        assert!(!is_live(&shard, START + SECOND, &id));
    }
    assert!(matches!(shard.load(START + SECOND, &visitor), Loaded::Renewed(_)));
    assert_eq!(shard.users(), 0);
    assert_eq!(shard.end_everyone(START + SECOND), 0);
}

#[test]
fn a_marker_tells_its_age() {
    let mut shard = shard();
    let old = created(&mut shard, START, &NewSession::new(Lifetime::default()));
    let new = new_id();
    shard.renew(START, &old, &new, &Renewal::of(None)).unwrap();
    for age in [Duration::ZERO, Duration::from_secs(10), MARKER_LIFE - SECOND] {
        let mut marker = Marker::new(old, new);
        marker.age = age;
        assert_eq!(shard.load(START + age, &old), Loaded::Renewed(marker));
    }
    assert_eq!(shard.load(START + MARKER_LIFE, &old), Loaded::Missing);
}

#[test]
fn a_session_has_expired_at_the_very_moment_it_expires() {
    let mut shard = shard();
    let id = created(&mut shard, START, &NewSession::new(BRIEF));
    let last = START + SECOND - Duration::from_nanos(1);
    assert!(is_live(&shard, last, &id));
    assert!(!is_live(&shard, START + SECOND, &id));
    assert!(matches!(shard.touch(START + SECOND, &id), Err(Error::Ended)));
    shard.touch(last, &id).unwrap();
    assert!(is_live(&shard, START + SECOND, &id));
}

#[test]
fn a_marker_leads_on_for_five_minutes_and_no_longer() {
    let mut shard = shard();
    let new = NewSession::new(Lifetime::default());
    let old = created(&mut shard, START, &new);
    let to = new_id();
    shard.renew(START, &old, &to, &Renewal::of(None)).unwrap();

    let update = Update::new(Delta::default());
    let over = START + Duration::from_secs(5 * 60);
    let last = over - Duration::from_nanos(1);
    assert_eq!(shard.update(last, &old, &update).unwrap(), Version(3));
    assert!(shard.renew(last, &old, &to, &Renewal::of(None)).is_ok());
    assert!(matches!(shard.create(last, &old, &new), Err(Error::IdInUse)));

    assert!(matches!(shard.update(over, &old, &update), Err(Error::Ended)));
    assert!(matches!(
        shard.renew(over, &old, &to, &Renewal::of(None)),
        Err(Error::Ended)
    ));
    shard.end(over, &old);
    assert!(is_live(&shard, over, &to));
}

#[test]
fn a_purge_removes_expired_sessions_and_markers_up_to_its_limit() {
    let mut shard = shard();
    for _ in 0..5 {
        created(&mut shard, START, &NewSession::new(BRIEF));
    }
    let old = created(&mut shard, START, &NewSession::new(Lifetime::default()));
    let live = new_id();
    shard.renew(START, &old, &live, &Renewal::of(None)).unwrap();

    assert_eq!(shard.purge(START, 100), 0);
    assert_eq!(shard.purge(START + SECOND, 2), 2);
    assert_eq!(shard.purge(START + SECOND, 100), 3);
    assert_eq!(shard.purge(START + MARKER_LIFE, 100), 1);
    assert_eq!(shard.purge(START + MARKER_LIFE, 100), 0);
    assert!(is_live(&shard, START + MARKER_LIFE, &live));
    assert_eq!(shard.slots(), 1);
}

#[test]
fn creations_keep_a_shard_that_nobody_purges_small() {
    let mut shard = shard();
    let new = NewSession::new(BRIEF).with_user("u");
    for i in 0..2000 {
        created(&mut shard, START + SECOND * i / 10, &new);
    }
    assert!(
        shard.slots() < 100,
        "{} sessions are kept, and 10 are alive",
        shard.slots()
    );
}

#[test]
fn nothing_is_kept_of_a_user_without_sessions() {
    let mut shard = shard();
    let new = NewSession::new(BRIEF).with_user("u");
    created(&mut shard, START, &new);
    shard.end_all(START, "u", None);
    created(&mut shard, START, &new);
    shard.purge(START + SECOND, 100);
    let id = created(&mut shard, START, &new);
    shard.renew(START, &id, &new_id(), &Renewal::login("v", BRIEF)).unwrap();
    assert_eq!(shard.users(), 1, "only v is there");
}
