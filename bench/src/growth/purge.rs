use std::time::{Duration, Instant};

use session_core::SessionStore;
use tokio::time::sleep;

use super::{crowd::Crowd, field::Field, ground::Ground, served::Served};
use crate::{Failure, quartiles::Quartiles, variant::Backend, workload::Workload};

/// How much a call removes at most: as much as the layer's.
const BATCH: u32 = 1000;

/// How long the crowd works alone before.
const BEFORE: Duration = Duration::from_secs(5);

/// Expired sessions that were purged while others were used: nine loads to an update, 64 at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Purge {
    pub(super) backend: Backend,
    pub(super) purged: u64,
    /// How many a second.
    pub(super) rate: f64,
    /// What each call took, in milliseconds.
    pub(super) call: Quartiles,
    /// How the others were served before,
    pub(super) before: Served,
    /// and meanwhile.
    pub(super) during: Served,
}

/// Has so many of the sessions expire and purges them, as the layer does, until there are none left.
pub(super) async fn measure<G: Ground>(field: &mut Field<G>, expired: usize) -> Result<Purge, Failure> {
    field.expire(expired).await?;
    let (store, ids) = (field.store(), field.ids());
    let crowd = Crowd::start(&store, &ids, Workload::Mix);
    sleep(BEFORE).await;
    let before = crowd.stop().await?;

    let crowd = Crowd::start(&store, &ids, Workload::Mix);
    let start = Instant::now();
    let (mut purged, mut calls) = (0, Vec::new());
    // Redis finds few in one call where few are near each other: so it may take more calls than there are batches.
    let most = 100 + 10 * expired / BATCH as usize;
    while purged < expired as u64 {
        if calls.len() == most {
            return Err(format!("after {most} calls {purged} of {expired} expired sessions were purged").into());
        }
        let called = Instant::now();
        purged += store.purge(BATCH).await?;
        calls.push(called.elapsed().as_secs_f64() * 1000.0);
    }
    let took = start.elapsed();
    let during = crowd.stop().await?;
    Ok(Purge {
        backend: G::BACKEND,
        purged,
        rate: purged as f64 / took.as_secs_f64(),
        call: Quartiles::of(calls).ok_or("nothing was purged")?,
        before,
        during,
    })
}
