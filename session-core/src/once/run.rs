use std::{error::Error as StdError, time::Duration};

use tokio::time::sleep;

use super::hold::Hold;
use crate::{Claimed, Error, OnceStore, jitter::jittered};

/// How long a claim holds after its holder was last heard of.
const LEASE: Duration = Duration::from_secs(10);
const LONGEST_LEASE: Duration = Duration::from_secs(160);

/// The longest pause between two looks at work that somebody else does.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Does an app's own set-up work once, whichever instance comes first, and returns when it is done, by whomever: `true`
/// if by this call.
///
/// ```
/// use session_core::{MemoryStore, run_once};
///
/// # async fn load_agency_contacts() -> Result<(), std::io::Error> { Ok(()) }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), session_core::Error> {
/// let store = MemoryStore::new(); // or a RedisStore or PostgresStore, which instances share
/// let here = run_once(&store, "load agency contacts 2026-11", async || {
///     load_agency_contacts().await?;
///     Ok(())
/// })
/// .await?;
/// assert!(here);
/// # Ok(())
/// # }
/// ```
///
/// The work is a closure because it may have to be begun again. Who waits for it waits as long as it takes: set a limit
/// around the call if there is to be one.
///
/// That the work named `name` is done is recorded in the store for good, so the name says which time it is meant: a
/// release or a month, as above, or a version of the data. Under a new name it is done anew.
///
/// The record is where the store keeps its sessions, so it is the store's own part of the server and the name that make
/// the name of a deployment: apps that share a server do not find each other's work done if each has a `key_prefix` in
/// Redis, or a `schema` in PostgreSQL, of its own. With the same ones they do.
///
/// # The work must be idempotent
///
/// It is *completed* once, and may be begun more often: again by another call if its instance died half-way, within
/// about ten seconds, or if it failed; again by the same call if the store could not be reached for that long, or if
/// the work was done but its end could not be recorded. So beginning it anew must do no harm after any part of it.
/// While it runs, a heartbeat in the same task tells the store that it still does; if the store says that it has given
/// the work to somebody else, the work is stopped, by dropping its future, and the call waits again. An instance that
/// is frozen and thawed, and what the work has left running elsewhere, may do something beside its successor for a
/// moment.
///
/// The work may take hours, but must not block its thread for seconds, which would stop the heartbeat: use
/// `spawn_blocking` for that.
///
/// A record is as durable as its store: a Redis that forgets what it has acknowledged lets the work be done again.
///
/// # Errors
///
/// - [`Error::Work`] with what the work returned if it failed in this call. It has been given back then: others who
///   wait try it next, and so does whoever calls again.
/// - [`Error::Unavailable`] or [`Error::Unknown`] if the store has not answered for about ten seconds. What it is asked
///   is tried again until then.
/// - [`Error::InvalidWork`] if the name is empty, longer than 255 bytes, or has a U+0000 in it.
///
/// # Cancellation
///
/// Whoever drops the future stops the work, and gives it back at once if this happens within the runtime; else its
/// claim lapses.
pub async fn run_once<S, W, F>(store: &S, name: &str, work: W) -> Result<bool, Error>
where
    S: OnceStore + Clone,
    W: FnMut() -> F,
    F: Future<Output = Result<(), Box<dyn StdError + Send + Sync>>>,
{
    run_once_with(store, name, LEASE, work).await
}

/// The same with another lease.
pub(crate) async fn run_once_with<S, W, F>(
    store: &S,
    name: &str,
    mut lease: Duration,
    mut work: W,
) -> Result<bool, Error>
where
    S: OnceStore + Clone,
    W: FnMut() -> F,
    F: Future<Output = Result<(), Box<dyn StdError + Send + Sync>>>,
{
    let mut pause = lease / 200;
    loop {
        let mut hold = Hold::new(store.clone(), name, lease)?;
        match hold.claim().await? {
            Claimed::Done => return Ok(false),
            Claimed::Mine => {}
            Claimed::Taken => {
                sleep(jittered(pause)).await;
                pause = (pause * 2).min(lease / 10).min(LONGEST_PAUSE);
                continue;
            }
        }
        let finished = match hold.while_held(work()).await {
            Some(Ok(())) => hold.finish().await?,
            Some(Err(source)) => {
                hold.give_back().await;
                let name = name.to_owned();
                return Err(Error::Work { name, source });
            }
            None => false,
        };
        if finished {
            return Ok(true);
        }
        tracing::warn!(work = name, "the claim to some work was lost, so it was stopped");
        // If the work blocks its thread for longer than the lease, on every instance, some lease has to outlast it.
        lease = (lease * 2).min(LONGEST_LEASE);
    }
}
