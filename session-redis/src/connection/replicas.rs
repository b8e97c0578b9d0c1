use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use session_core::Error;
use tokio::{sync::Mutex, time::timeout};

use crate::{error::Failure, reply::read_number, wire::Link};

/// How many replicas have to have a write before it is acknowledged, and how long they have for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Replicas {
    pub(crate) number: u32,
    pub(crate) within: Duration,
}

/// Fewer replicas have it.
#[derive(Debug, thiserror::Error)]
#[error(
    "it is done, and {have} of {} replicas had it within {:?}: a failover may undo it", wanted.number, wanted.within
)]
pub(crate) struct TooFew {
    have: u64,
    wanted: Replicas,
}

/// How far replicas are known to have what was done on one connection.
///
/// The server counts them by what was written before the connection's last command, so one question suffices for all
/// that was answered before it is asked. It blocks the connection, so whatever comes meanwhile waits for the next one.
#[derive(Debug, Default)]
pub(crate) struct Replicated {
    /// The number of exchanges that were answered.
    done: AtomicU64,
    known: Mutex<Known>,
}

/// So many replicas have all that was done by the first so many exchanges.
#[derive(Debug, Default)]
struct Known {
    done: u64,
    replicas: u64,
}

impl Replicas {
    /// Waits until replicas have what has just been done on this link. Whatever goes wrong, it is done.
    pub(crate) async fn wait(&self, link: &Link, command_timeout: Duration) -> Result<(), Error> {
        let limit = 2 * self.within + command_timeout;
        let late = |_| Err(Error::unknown(Failure::Late(limit)));
        let have = timeout(limit, self.ask(link, limit)).await.unwrap_or_else(late)?;
        if have >= u64::from(self.number) {
            return Ok(());
        }
        Err(Error::unknown(TooFew { have, wanted: *self }))
    }

    async fn ask(&self, link: &Link, limit: Duration) -> Result<u64, Error> {
        let Replicated { done, known } = &link.replicated;
        let this = done.fetch_add(1, Ordering::AcqRel) + 1;
        let mut known = known.lock().await;
        if known.done < this {
            let done = done.load(Ordering::Acquire);
            let mut question = redis::pipe();
            // None at all would be no limit.
            let within = self.within.as_millis().max(1);
            question.cmd("WAIT").arg(self.number).arg(within.to_string());
            let answer = link.send(&question, limit).await.map_err(Error::unknown)?.pop();
            let answer = answer.unwrap_or_default().extract_error();
            let replicas = read_number(&answer.map_err(Error::unknown)?).unwrap_or_default();
            *known = Known { done, replicas };
        }
        Ok(known.replicas)
    }
}
