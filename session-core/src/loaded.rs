use std::time::Duration;

use crate::{Marker, Record, SessionId};

/// What a [`load`](crate::SessionStore::load) found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Loaded {
    /// The first of the ids asked for that is a live session, and its record.
    Live(SessionId, Box<Record>),
    /// None of them is, or a later one: this one's session was renewed.
    Renewed(Marker),
    /// None of them is anything.
    Missing,
}

impl Loaded {
    /// How long a browser may take to learn its new token: ten seconds, for the answer to the request that renewed it
    /// and for those sent before it came. So long nothing is begun for it under another. Longer would hurt a browser
    /// that lost the answer.
    pub const JUST_RENEWED: Duration = Duration::from_secs(10);

    /// How long after a renewal by time the old token still finds the new one: half a minute, so that a browser that
    /// lost the answer, and a person who tries again, are still logged in.
    pub const GRACE: Duration = Duration::from_secs(30);

    /// What to answer of the ids `asked`, each of which was found to be this, in their order; for stores.
    ///
    /// The first live session is. A renewal by time stands for its session for [`GRACE`](Self::GRACE), before what
    /// comes after it, unless the successor is asked for as well. Of other renewals the latest is told if nothing is
    /// live.
    pub fn first(asked: &[SessionId], found: impl IntoIterator<Item = Self>) -> Self {
        let mut newest: Option<Marker> = None;
        for loaded in found {
            match loaded {
                Self::Live(..) => return loaded,
                Self::Renewed(marker) if asked.contains(&marker.successor) => {}
                Self::Renewed(marker) if marker.nonce.is_some() && marker.age < Self::GRACE => return loaded,
                Self::Renewed(marker) => {
                    newest = Some(newest.filter(|newest| newest.age <= marker.age).unwrap_or(marker));
                }
                Self::Missing => {}
            }
        }
        newest.map_or(Self::Missing, Self::Renewed)
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::RenewalNonce;

    const IDS: [SessionId; 4] = [id(0), id(1), id(2), id(3)];

    const fn id(n: u8) -> SessionId {
        SessionId::from_bytes([n; SessionId::LEN])
    }

    fn live(id: SessionId) -> Loaded {
        let now = OffsetDateTime::UNIX_EPOCH;
        Loaded::Live(id, Box::new(Record::new(now, Duration::ZERO, now)))
    }

    fn renewed(id: SessionId, successor: SessionId, seconds: u64) -> Loaded {
        Loaded::Renewed(Marker {
            age: Duration::from_secs(seconds),
            ..Marker::new(id, successor)
        })
    }

    fn by_time(id: SessionId, successor: SessionId, seconds: u64) -> Loaded {
        Loaded::Renewed(Marker {
            age: Duration::from_secs(seconds),
            nonce: Some(RenewalNonce::from_bytes([7; RenewalNonce::LEN])),
            ..Marker::new(id, successor)
        })
    }

    #[test]
    fn a_renewal_by_time_stands_for_its_session_for_half_a_minute() {
        let visitor = live(id(1));
        let young = by_time(id(0), id(9), 29);
        assert_eq!(Loaded::first(&IDS, [young.clone(), visitor.clone()]), young);
        assert_eq!(Loaded::first(&IDS, [visitor.clone(), young]), visitor);
        for old in [by_time(id(0), id(9), 30), renewed(id(0), id(9), 0)] {
            assert_eq!(Loaded::first(&IDS, [old.clone(), visitor.clone()]), visitor);
            assert_eq!(Loaded::first(&IDS, [old.clone(), Loaded::Missing]), old);
        }
    }

    #[test]
    fn what_the_browser_has_learned_is_not_told() {
        for marker in [by_time(id(0), id(1), 1), renewed(id(0), id(1), 1)] {
            assert_eq!(Loaded::first(&IDS, [marker.clone(), live(id(1))]), live(id(1)));
            assert_eq!(Loaded::first(&IDS, [marker, Loaded::Missing]), Loaded::Missing);
        }
    }

    #[test]
    fn the_latest_of_other_renewals_is_told() {
        let (old, new) = (renewed(id(0), id(8), 20), renewed(id(1), id(9), 5));
        for found in [[old.clone(), new.clone()], [new.clone(), old]] {
            assert_eq!(Loaded::first(&IDS, found), new);
        }
    }
}
