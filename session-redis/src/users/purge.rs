use std::sync::{MutexGuard, PoisonError};

use redis::Pipeline;
use session_core::Error;

use super::scan::Spot;
use crate::{RedisStore, error::Effect, reply::Reply, script::Script, servers::Server};

/// How many steps through the server's keys one call takes at most.
const STEPS: usize = 16;

/// How many lists are purged together.
const TOGETHER: u64 = 100;

impl RedisStore {
    /// Removes up to `limit` sessions that are past their absolute end from users' lists; the sessions themselves are
    /// removed by the server.
    ///
    /// It goes on where the last call stopped, and stops when it has been through all keys.
    pub(crate) async fn purge_lists(&self, limit: u64) -> Result<u64, Error> {
        let servers = self.servers.all().await?;
        let mut purged = 0;
        for _ in 0..STEPS {
            let spot = self.purged_to().among(servers.len());
            let (next, mut lists) = self.find_lists(&servers[spot.server], spot.cursor).await?;
            while !lists.is_empty() && purged < limit {
                let left = limit - purged;
                let rest = lists.split_off(lists.len().min(left.min(TOGETHER) as usize));
                // A list with more than its share is seen again when all keys have been gone through.
                purged += self.purge_together(&lists, left / lists.len() as u64).await?;
                lists = rest;
            }
            if purged >= limit {
                break;
            }
            let next = spot.after(next, servers.len());
            *self.purged_to() = next;
            if next == Spot::default() {
                break;
            }
        }
        Ok(purged)
    }

    fn purged_to(&self) -> MutexGuard<'_, Spot> {
        self.purged_to.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Some users' lists, and where to go on.
    async fn find_lists(&self, server: &Server, cursor: u64) -> Result<(u64, Vec<String>), Error> {
        let (next, keys) = server.scan(cursor, &self.keys.users(), "zset").await?;
        let keys = keys.into_iter().filter(|key| self.keys.is_user(key));
        Ok((next, keys.filter_map(|key| String::from_utf8(key).ok()).collect()))
    }

    async fn purge_together(&self, lists: &[String], limit: u64) -> Result<u64, Error> {
        let mut calls = Pipeline::with_capacity(lists.len());
        for list in lists {
            let mut purge = Script::Purge.on(std::slice::from_ref(list));
            purge.arg(limit);
            calls.add_command(purge);
        }
        let mut purged = 0;
        for answer in self.servers.call(&calls, Effect::Writes).await? {
            if let Reply::Done(number) = Reply::read(Some(answer))? {
                purged += number;
            }
        }
        Ok(purged)
    }
}
