use std::collections::HashSet;

use session_core::{Error, Page, Record, SessionId, SessionInfo};

use super::list::TOGETHER;
use crate::{
    RedisStore,
    error::{Effect, unexpected},
    record::{Found, META, answer_of, read_fields},
    store::FOLLOW_LIMIT,
    wire::strings,
};

impl RedisStore {
    /// A page of a user's live sessions. What is on the list and not alive is struck off it.
    pub(crate) async fn page_of(&self, user: &str, page: &Page) -> Result<Vec<SessionInfo>, Error> {
        let is_on_page = |id: &SessionId| page.after.is_none_or(|after| *id > after);
        let list = self.list(user).await?;
        let mut listed = list.ids();
        listed.retain(is_on_page);
        listed.sort_unstable();
        let (mut live, mut dead) = (Vec::new(), Vec::new());
        let mut ids = listed.chunks((page.limit as usize).clamp(100, TOGETHER));
        let mut last = None;
        while live.len() < page.limit as usize
            && let Some(ids) = ids.next()
        {
            let (found, gone) = self.live_among(ids, user).await?;
            let on_page = found.iter().filter(|(id, _)| is_on_page(id));
            live.extend(on_page.map(|(id, record)| SessionInfo::of(*id, record)));
            dead.extend(gone);
            last = ids.last();
        }
        if ids.len() > 0 {
            // Renewed since the list was read, and on a later page under its new id.
            live.retain(|session| Some(&session.id) <= last);
        }
        live.sort_unstable_by_key(|session| session.id);
        live.dedup_by_key(|session| session.id);
        live.truncate(page.limit as usize);
        self.heal(user, &list, &dead).await;
        Ok(live)
    }

    /// Those of a user's sessions that are alive, without their data, and the ids that are none, or are none any more.
    pub(crate) async fn live_among(
        &self,
        listed: &[SessionId],
        user: &str,
    ) -> Result<(Vec<(SessionId, Record)>, Vec<SessionId>), Error> {
        let (mut live, mut dead) = (Vec::new(), Vec::new());
        let mut known: HashSet<_> = listed.iter().copied().collect();
        let mut ids = listed.to_vec();
        // A session renewed since the list was read is alive under an id that was not on it yet.
        for _ in 0..FOLLOW_LIMIT {
            let mut renewed = Vec::new();
            for (id, found) in self.read_together(&ids).await? {
                match found {
                    Found::Record(record) if record.user.as_deref() == Some(user) => live.push((id, *record)),
                    Found::Marker {
                        successor,
                        by_login: false,
                        ..
                    } => {
                        dead.push(id);
                        renewed.extend(Some(successor).filter(|id| known.insert(*id)));
                    }
                    Found::Record(_) | Found::Marker { .. } | Found::Nothing => dead.push(id),
                }
            }
            if renewed.is_empty() {
                break;
            }
            ids = renewed;
        }
        Ok((live, dead))
    }

    /// What is at the keys of some sessions, without their data.
    async fn read_together(&self, ids: &[SessionId]) -> Result<Vec<(SessionId, Found)>, Error> {
        let mut found = Vec::with_capacity(ids.len());
        for ids in ids.chunks(TOGETHER) {
            let mut reads = redis::pipe();
            for id in ids {
                reads.cmd("HMGET").arg(self.keys.session(id)).arg(&META);
            }
            let answers = self.servers.exchange(&reads, Effect::Reads).await?;
            for (id, answer) in ids.iter().zip(answers) {
                let now = self.servers.now(id);
                let Some(answer) = answer_of(id, answer)? else {
                    found.push((*id, Found::Nothing));
                    continue;
                };
                let values = strings(&answer).ok_or_else(|| unexpected(Effect::Reads))?;
                let fields = META
                    .into_iter()
                    .zip(values)
                    .filter_map(|(name, value)| Some((name, value?)));
                found.push((*id, read_fields(id, &answer, fields, now)));
            }
        }
        Ok(found)
    }
}
