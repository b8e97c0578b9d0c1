use redis::Value;
use session_core::{Error, Page, SessionId, SessionInfo};

use crate::{
    RedisStore,
    error::{Effect, refused, unexpected},
    record::META,
    reply::read_member,
    script::Script,
};

/// How many commands go out together.
pub(crate) const TOGETHER: usize = 500;

impl RedisStore {
    /// A page of a user's live sessions. What is on the list and not alive is struck off it.
    pub(crate) async fn page_of(&self, user: &str, page: &Page) -> Result<Vec<SessionInfo>, Error> {
        let mut ids = self.listed(user).await?;
        ids.retain(|id| page.after.is_none_or(|after| *id > after));
        ids.sort_unstable();
        let (mut live, mut dead) = (Vec::new(), Vec::new());
        for ids in ids.chunks(TOGETHER) {
            if live.len() >= page.limit as usize {
                break;
            }
            let mut reads = redis::pipe();
            for id in ids {
                reads.cmd("HMGET").arg(self.keys.session(id)).arg(&META);
            }
            let answers = self.connection.send(&reads, Effect::Reads).await?;
            for (id, answer) in ids.iter().zip(answers) {
                match self.info(id, user, answer)? {
                    Some(info) => live.push(info),
                    None => dead.push(*id),
                }
            }
        }
        live.truncate(page.limit as usize);
        self.heal(user, &dead).await;
        Ok(live)
    }

    /// The ids on a user's list, of sessions that are alive, that are not any more, and that are about to be made.
    pub(crate) async fn listed(&self, user: &str) -> Result<Vec<SessionId>, Error> {
        let mut read = redis::pipe();
        read.cmd("ZRANGE").arg(self.keys.user(user)).arg(0).arg(-1);
        match self.connection.send(&read, Effect::Reads).await?.pop() {
            Some(Value::Array(members)) => Ok(members.iter().filter_map(read_member).collect()),
            Some(Value::ServerError(error)) => Err(refused(error, Effect::Reads)),
            _ => Err(unexpected(Effect::Reads)),
        }
    }

    /// Strikes dead sessions off a user's list, unless they are young. If that fails, the next look finds them again.
    pub(crate) async fn heal(&self, user: &str, dead: &[SessionId]) {
        for ids in dead.chunks(TOGETHER) {
            let mut heal = Script::Heal.on(&[self.keys.user(user)]);
            for id in ids {
                heal.arg(id.to_string());
            }
            let mut calls = redis::pipe();
            calls.add_command(heal);
            if let Err(error) = self.connection.call(&calls).await {
                tracing::debug!(%error, "dead sessions stay on a user's list");
                return;
            }
        }
    }

    fn info(&self, id: &SessionId, user: &str, answer: Value) -> Result<Option<SessionInfo>, Error> {
        let answer = match answer {
            Value::Array(values) => {
                let fields = META
                    .into_iter()
                    .map(|name| Value::BulkString(name.to_vec()))
                    .zip(values);
                let fields = fields.filter(|(_, value)| *value != Value::Nil);
                Value::Map(fields.collect())
            }
            other => other,
        };
        let record = self
            .read_record(id, answer)?
            .filter(|record| record.user.as_deref() == Some(user));
        Ok(record.map(|record| SessionInfo::new(*id, record.created, record.last_seen, record.absolute_end)))
    }
}
