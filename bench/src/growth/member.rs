use session_core::{NewSession, SessionId, SessionToken};

use crate::{Failure, alone};

/// One in so many sessions has a user.
pub(super) const SHARE: usize = 4;

/// So many sessions has each user.
const OF_ONE: usize = 10;

/// A session of a field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    pub(super) id: SessionId,
    /// The number of its user, if it has one.
    pub(super) user: Option<usize>,
}

impl Member {
    /// So many, with ids as the layer makes them.
    pub(super) fn many(count: usize) -> Result<Vec<Self>, Failure> {
        (0..count)
            .map(|place| {
                let id = SessionToken::random()?.id();
                Ok(Self {
                    id,
                    user: user_of(place),
                })
            })
            .collect()
    }

    /// What creates it.
    pub(super) fn new_session(&self) -> Result<NewSession, Failure> {
        let mut new = alone::new_session()?;
        // None expires while it is measured.
        new.lifetime.idle = new.lifetime.absolute;
        new.user = self.user_name();
        Ok(new)
    }

    pub(super) fn user_name(&self) -> Option<String> {
        self.user.map(user_name)
    }
}

/// How many users so many sessions have.
pub(super) const fn users(count: usize) -> usize {
    count.div_ceil(SHARE * OF_ONE)
}

pub(super) fn user_name(user: usize) -> String {
    format!("user{user:06}")
}

fn user_of(place: usize) -> Option<usize> {
    place.is_multiple_of(SHARE).then_some(place / (SHARE * OF_ONE))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn one_in_four_has_a_user_and_each_user_ten() {
        let mut sessions = BTreeMap::new();
        for user in (0..1000).filter_map(user_of) {
            *sessions.entry(user).or_insert(0) += 1;
        }
        assert_eq!(sessions.len(), users(1000));
        assert!(sessions.values().all(|sessions| *sessions == 10));
        assert_eq!(users(1001), users(1000) + 1);
    }
}
