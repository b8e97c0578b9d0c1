use redis::Cmd;
use session_core::{Error, Excess, Record, SessionId, SessionLimit};
use tokio::time::sleep;

use super::reserve::Listing;
use crate::{
    RedisStore,
    backoff::pause,
    error::Effect,
    record::millis,
    reply::Reply,
    script::Script,
    store::{FOLLOW_LIMIT, always_renewed},
};

/// How often a login waits for others of the same user's that are under way, before it takes them for sessions.
const PATIENCE: u32 = 6;

/// How often a login looks again because something changed meanwhile.
const TRIES: u32 = 200;

impl RedisStore {
    /// Makes a session of a user's by a script, if the limit allows it.
    ///
    /// The user's list and the sessions on it may be on different servers, so no script sees both. What decides is one
    /// step on the list: the reservation is made only if nothing is listed that was not counted. Whoever is listed
    /// and not there counts as a session under way.
    pub(crate) async fn make_within(
        &self,
        limit: SessionLimit,
        listing: &Listing<'_>,
        make: Cmd,
    ) -> Result<Reply, Error> {
        for tries in 1..=TRIES {
            let counted = self.count(listing).await?;
            let excess = (counted.live.len() + counted.pending.len() + 1).saturating_sub(limit.max as usize);
            if excess == 0 {
                if self.reserve_within(listing, &counted.known).await? {
                    return self.make_reserved(listing, make).await;
                }
            } else if !counted.pending.is_empty() && tries <= PATIENCE {
                sleep(pause(tries)).await;
            } else if limit.excess == Excess::Refuse || limit.max == 0 {
                let max = limit.max;
                return Err(Error::LimitReached { max });
            } else {
                if let Some(ask) = &listing.ask {
                    let answer = self.call(ask.clone()).await?;
                    if !matches!(answer, Reply::Done(_)) {
                        return Ok(answer);
                    }
                }
                let oldest = counted.live.iter().chain(&counted.pending).take(excess);
                let mut barred = Vec::new();
                for id in oldest {
                    self.bar(*id, &mut barred).await?;
                }
                self.unlist(listing.user, &barred).await;
            }
        }
        Err(Error::unavailable(
            "other logins of the same user were faster each time",
        ))
    }

    /// What is on the user's list, and which of it counts.
    async fn count(&self, listing: &Listing<'_>) -> Result<Counted, Error> {
        let list = self.list(listing.user).await?;
        let listed = list.ids();
        let (found, dead) = self.live_among(&listed, listing.user).await?;
        self.heal(listing.user, &list, &dead).await;
        // What was not there and is listed still is under way, or has just been made.
        let again = match dead.is_empty() {
            true => None,
            false => Some(self.list(listing.user).await?),
        };
        let is_pending = |id: &SessionId| again.as_ref().is_some_and(|list| list.contains(id));
        let is_own = |id: &SessionId| id == listing.id || Some(id) == listing.from;
        // A locked one has idled out.
        let counts = |(id, record): &&(SessionId, Record)| {
            !is_own(id) && record.about.class == listing.class && !record.is_locked(record.loaded_at)
        };
        let mut live: Vec<_> = found.iter().filter(counts).collect();
        live.sort_unstable_by_key(|(id, record)| (record.created, *id));
        let successors = found.iter().map(|(id, _)| *id);
        Ok(Counted {
            live: live.into_iter().map(|(id, _)| *id).collect(),
            pending: dead.into_iter().filter(|id| is_pending(id) && !is_own(id)).collect(),
            known: listed.iter().copied().chain(successors).collect(),
        })
    }

    async fn reserve_within(&self, listing: &Listing<'_>, known: &[SessionId]) -> Result<bool, Error> {
        let mut reserve = Script::ReserveWithin.on(&[self.keys.user(listing.user)]);
        reserve
            .arg(listing.id.to_string())
            .arg(millis(listing.life.unwrap_or_default()));
        for id in known {
            reserve.arg(id.to_string());
        }
        Ok(matches!(self.call_lasting(reserve).await?, Reply::Done(_)))
    }

    async fn make_reserved(&self, listing: &Listing<'_>, make: Cmd) -> Result<Reply, Error> {
        match self.make_listed(listing, make).await? {
            // A later login has ended it before it began, and struck it off.
            Reply::InUse => Ok(Reply::Ended),
            reply => Ok(reply),
        }
    }

    /// Ends a session, or keeps it from being made.
    ///
    /// `barred` gets the ids that it had.
    async fn bar(&self, mut id: SessionId, barred: &mut Vec<SessionId>) -> Result<(), Error> {
        for _ in 0..FOLLOW_LIMIT {
            barred.push(id);
            let _changing = self.changing(&id);
            match self.call_lasting(Script::Bar.on(&[self.keys.session(&id)])).await? {
                Reply::Moved(successor) => id = successor,
                _ => return Ok(()),
            }
        }
        Err(always_renewed())
    }

    /// Strikes sessions off a user's list that are not there and will not be, young or not. If that fails, a later look
    /// does it.
    pub(crate) async fn unlist(&self, user: &str, ids: &[SessionId]) {
        let mut unlist = redis::pipe();
        let command = unlist.cmd("ZREM").arg(self.keys.user(user));
        for id in ids {
            command.arg(id.to_string()).arg(format!("+{id}"));
        }
        if let Err(error) = self.servers.send(&unlist, Effect::Writes).await {
            tracing::debug!(%error, "dead sessions stay on a user's list");
        }
    }
}

/// What a look at a user's list found.
struct Counted {
    /// The live sessions that count, the oldest first.
    live: Vec<SessionId>,
    /// What is listed and not there yet.
    pending: Vec<SessionId>,
    /// All that was seen.
    known: Vec<SessionId>,
}
