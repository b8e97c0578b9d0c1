use std::sync::Arc;

use session_core::{SessionId, SessionToken};

use super::{
    ground::Ground,
    member::{self, Member},
    random::Random,
    size::Size,
};
use crate::Failure;

/// A store that holds so many sessions, and which they are.
pub(super) struct Field<G> {
    ground: G,
    members: Vec<Member>,
    users: usize,
    random: Random,
}

impl<G: Ground> Field<G> {
    pub(super) async fn fill(mut ground: G, count: usize) -> Result<Self, Failure> {
        let members = Member::many(count)?;
        ground.fill(&members).await?;
        Ok(Self {
            ground,
            members,
            users: member::users(count),
            random: Random::new(1),
        })
    }

    /// A handle of the store.
    pub(super) fn store(&self) -> G::Store {
        self.ground.store().clone()
    }

    pub(super) fn into_ground(self) -> G {
        self.ground
    }

    pub(super) async fn sizes(&mut self) -> Result<Vec<Size>, Failure> {
        self.ground.sizes().await
    }

    /// The ids of all that live.
    pub(super) fn ids(&self) -> Arc<[SessionId]> {
        self.members.iter().map(|member| member.id).collect()
    }

    /// The place of any session that has a user, or of any that has none.
    pub(super) fn pick(&mut self, has_user: bool) -> usize {
        loop {
            let place = self.random.below(self.members.len());
            if self.members[place].user.is_some() == has_user {
                return place;
            }
        }
    }

    pub(super) fn member(&self, place: usize) -> Member {
        self.members[place]
    }

    /// Any user's name.
    pub(super) fn any_user(&mut self) -> String {
        member::user_name(self.random.below(self.users))
    }

    /// A session that is not there yet, of the same user.
    pub(super) fn successor(&self, place: usize) -> Result<Member, Failure> {
        let member = self.members[place];
        let id = SessionToken::random_successor(&member.id)?.id();
        Ok(Member { id, ..member })
    }

    /// Puts a session in the place of one that is there no more.
    pub(super) fn replace(&mut self, place: usize, member: Member) {
        self.members[place] = member;
    }

    /// Has so many sessions expire that leave something for a purge.
    pub(super) async fn expire(&mut self, count: usize) -> Result<(), Failure> {
        let mut expired = Vec::with_capacity(count);
        // The oldest, as it would be.
        self.members.retain(|member| {
            let is_taken = expired.len() < count && G::is_purged(member);
            if is_taken {
                expired.push(*member);
            }
            !is_taken
        });
        if expired.len() < count {
            let found = expired.len();
            return Err(format!("{count} sessions were to expire, and there are {found}").into());
        }
        self.ground.expire(&expired).await
    }
}
