use std::collections::HashSet;

use session_core::{Error, SessionId};

use super::list::TOGETHER;
use crate::{
    RedisStore,
    error::Effect,
    reply::Reply,
    script::Script,
    servers::Server,
    store::{FOLLOW_LIMIT, always_renewed},
};

/// How often a server's keys are walked through, if connections are lost meanwhile.
const WALKS: usize = 5;

impl RedisStore {
    /// Ends the sessions on a user's list, but for `except` and what that was renewed to, and returns how many.
    ///
    /// The list is read once, and that is enough. A session that is alive when it is read is on it: it was listed
    /// before it was made, under the id it has by then, and only what is dead and not young is ever struck off. If it
    /// is renewed before its turn comes, its old id leads to the new one; if its turn comes first, there is nothing to
    /// renew. What is made after the list was read comes from a later login.
    pub(crate) async fn end_listed(&self, user: &str, except: Option<&SessionId>) -> Result<u64, Error> {
        let list = self.list(user).await?;
        let mut listed = list.ids();
        let mut spared: Vec<SessionId> = except.copied().into_iter().collect();
        // A renewal keeps the shard tag: only ids with the tag of `except` can belong to the same session.
        let is_near = |id: &SessionId| except.is_some_and(|except| except.tag() == id.tag());
        let (near, far): (Vec<_>, Vec<_>) = listed.iter().copied().partition(is_near);

        let mut ended = self.end_together(far).await?;
        let mut seen = HashSet::new();
        for id in near {
            ended += u64::from(self.end_unless_spared(id, &mut seen, &mut spared).await?);
        }
        listed.retain(|id| !spared.contains(id));
        self.heal(user, &list, &listed).await;
        Ok(ended)
    }

    /// Ends all sessions, and returns how many.
    ///
    /// One walk through all keys, and that is enough: it sees each key that is there all the while. A session that is
    /// renewed meanwhile leaves a marker at its key, which is there instead, and leads on. So whoever logs in meanwhile
    /// is ended or not, and nobody keeps the walk from its end.
    ///
    /// In a cluster a key may move meanwhile, from a node that is still to be walked through to one that was. Then it
    /// is there when all are walked through a second time.
    pub(crate) async fn end_all_sessions(&self) -> Result<u64, Error> {
        let walks = if self.servers.is_cluster().await? { 2 } else { 1 };
        let mut ended = 0;
        for _ in 0..walks {
            for server in self.servers.all().await? {
                ended += self.end_sessions_at(&server).await?;
            }
        }
        Ok(ended)
    }

    /// On one connection, for a place in the walk means nothing to another server.
    async fn end_sessions_at(&self, server: &Server) -> Result<u64, Error> {
        let mut ended = 0;
        for _ in 0..WALKS {
            server.connection.open().await?;
            let links = server.connection.links();
            ended += self.walk_through(server).await?;
            if server.connection.links() == links {
                return Ok(ended);
            }
        }
        Err(Error::unknown(
            "the connection to Redis was lost again and again while all sessions were ended: some may be alive",
        ))
    }

    async fn walk_through(&self, server: &Server) -> Result<u64, Error> {
        let (mut ended, mut cursor) = (0, 0);
        loop {
            let (next, keys) = server.scan(cursor, &self.keys.sessions(), "hash").await?;
            let ids = keys.iter().filter_map(|key| self.keys.read_session(key));
            ended += self.end_together(ids.collect()).await?;
            if next == 0 {
                return Ok(ended);
            }
            cursor = next;
        }
    }

    /// Ends sessions, and what they have been renewed to. Each id is asked once, so it is done when nothing new is
    /// found.
    async fn end_together(&self, mut ids: Vec<SessionId>) -> Result<u64, Error> {
        let mut known: HashSet<_> = ids.iter().copied().collect();
        let mut ended = 0;
        while !ids.is_empty() {
            let mut successors = Vec::new();
            for ids in ids.chunks(TOGETHER) {
                let mut calls = redis::pipe();
                for id in ids {
                    calls.add_command(Script::End.on(&[self.keys.session(id)]));
                }
                for (id, answer) in ids.iter().zip(self.servers.call(&calls, Effect::Lasts).await?) {
                    // Not at the end: that may be far.
                    let _over = self.changing(id);
                    match Reply::read(Some(answer))? {
                        Reply::Over(last) => {
                            self.servers.note_ended(last);
                            ended += 1;
                            drop(self.changing(&last));
                        }
                        Reply::Moved(successor) if known.insert(successor) => successors.push(successor),
                        _ => {}
                    }
                }
            }
            ids = successors;
        }
        Ok(ended)
    }

    /// Whether there was one to end. `seen` are the ids that were asked already, and `spared` those that the session to
    /// spare has had, the last the newest known.
    ///
    /// Each step makes sure, at the same moment as it ends something, that no newer id of that session is known to the
    /// server: so it cannot end what the session to spare has just been renewed to.
    async fn end_unless_spared(
        &self,
        mut id: SessionId,
        seen: &mut HashSet<SessionId>,
        spared: &mut Vec<SessionId>,
    ) -> Result<bool, Error> {
        let mut is_new = seen.insert(id);
        for _ in 0..FOLLOW_LIMIT {
            if !is_new || spared.contains(&id) {
                return Ok(false);
            }
            let newest = spared.last().map(|id| self.keys.session(id));
            let keys: Vec<_> = [self.keys.session(&id)].into_iter().chain(newest).collect();
            match self.call_lasting(Script::End.on(&keys)).await? {
                Reply::Over(last) => {
                    self.servers.note_ended(last);
                    return Ok(true);
                }
                Reply::Moved(successor) => {
                    id = successor;
                    is_new = seen.insert(id);
                }
                Reply::Spare(successor) => spared.push(successor),
                _ => return Ok(false),
            }
        }
        Err(always_renewed())
    }
}
