use std::collections::HashMap;

use redis::Value;
use session_core::{Error, SessionId};

use crate::{
    RedisStore,
    error::{Effect, refused, unexpected},
    reply::read_member,
    script::Script,
};

/// How many commands go out together.
pub(crate) const TOGETHER: usize = 500;

/// The ids on a user's list as it was read: of sessions that are alive, that are not any more, and that are about to be
/// made.
#[derive(Debug)]
pub(crate) struct List {
    /// Whether each was young.
    ids: HashMap<SessionId, bool>,
}

impl List {
    /// What the members of a user's index say. Those that make no sense are nothing.
    pub(crate) fn of(members: &[Value]) -> Self {
        let ids = members.iter().filter_map(|member| Some((read_member(member)?, false)));
        let mut ids: HashMap<_, _> = ids.collect();
        for member in members {
            if let Value::BulkString(text) = member
                && let Some(id) = text.strip_prefix(b"+")
                && let Some(young) = read_member(&Value::BulkString(id.to_vec())).and_then(|id| ids.get_mut(&id))
            {
                *young = true;
            }
        }
        Self { ids }
    }

    pub(crate) fn ids(&self) -> Vec<SessionId> {
        self.ids.keys().copied().collect()
    }

    pub(crate) fn contains(&self, id: &SessionId) -> bool {
        self.ids.contains_key(id)
    }
}

impl RedisStore {
    pub(crate) async fn list(&self, user: &str) -> Result<List, Error> {
        let mut read = redis::pipe();
        read.cmd("ZRANGE").arg(self.keys.user(user)).arg(0).arg(-1);
        let members = match self.servers.send(&read, Effect::Reads).await?.pop() {
            Some(Value::Array(members)) => members,
            Some(Value::ServerError(error)) => return Err(refused(error, Effect::Reads)),
            _ => return Err(unexpected(Effect::Reads)),
        };
        Ok(List::of(&members))
    }

    /// Strikes sessions off a user's list that were found dead after it was read. One that was young then may have been
    /// made since, so it goes only when its youth is over. If that fails, the next look finds them again.
    pub(crate) async fn heal(&self, user: &str, list: &List, dead: &[SessionId]) {
        let listed: Vec<_> = dead.iter().filter_map(|id| Some((id, *list.ids.get(id)?))).collect();
        for ids in listed.chunks(TOGETHER) {
            let mut heal = Script::Heal.on(&[self.keys.user(user)]);
            for (id, young) in ids {
                heal.arg(format!("{}{id}", if *young { "+" } else { "" }));
            }
            let mut calls = redis::pipe();
            calls.add_command(heal);
            if let Err(error) = self.servers.call(&calls, Effect::Writes).await {
                tracing::debug!(%error, "dead sessions stay on a user's list");
                return;
            }
        }
    }
}
