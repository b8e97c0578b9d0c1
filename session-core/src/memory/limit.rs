use super::{MemoryStore, shard::Shard, store::write};
use crate::{Error, Excess, SessionId, SessionLimit, Version};

/// Whose sessions a login adds to, and how many there may be.
pub(super) struct Limited<'a> {
    pub(super) user: &'a str,
    pub(super) class: &'a str,
    pub(super) limit: SessionLimit,
    /// The ids that the session of the login has before and after it.
    pub(super) ids: [&'a SessionId; 2],
}

impl MemoryStore {
    /// Does a login if the limit allows it, while nothing else happens in the store: a user's sessions are in all
    /// shards.
    pub(super) fn log_in(
        &self,
        limited: &Limited<'_>,
        login: impl FnOnce(&mut Shard, time::OffsetDateTime) -> Result<Version, Error>,
    ) -> Result<Version, Error> {
        let Limited {
            user,
            class,
            limit,
            ids,
        } = limited;
        // Always in the same order; whoever else holds one waits for none.
        let mut shards: Vec<_> = self.shards.iter().map(write).collect();
        let now = self.clock.now();
        let mut others: Vec<_> = shards
            .iter()
            .flat_map(|shard| shard.of_class(now, user, class))
            .collect();
        others.retain(|(_, id)| !ids.contains(&id));
        others.sort_unstable();

        let excess = (others.len() + 1).saturating_sub(limit.max as usize);
        if excess > 0 && (limit.excess == Excess::Refuse || limit.max == 0) {
            return Err(Error::LimitReached { max: limit.max });
        }
        let version = login(&mut shards[Self::shard_of(ids[0])], now)?;
        for (_, id) in others.iter().take(excess) {
            shards[Self::shard_of(id)].end(now, id);
        }
        Ok(version)
    }
}
