use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use session_core::{SessionId, SessionStore, Update};
use tokio::task::JoinSet;

use super::{operation::found, random::Random, served::Served};
use crate::{Failure, alone, load::CONNECTIONS, workload::Workload};

/// 64 tasks that read and write any sessions until it is enough.
#[derive(Debug)]
pub(super) struct Crowd {
    since: Instant,
    is_enough: Arc<AtomicBool>,
    tasks: JoinSet<Result<Vec<Duration>, Failure>>,
}

impl Crowd {
    /// Sets it to work.
    pub(super) fn start(store: &(impl SessionStore + Clone), ids: &Arc<[SessionId]>, workload: Workload) -> Self {
        let is_enough = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        for seed in 0..CONNECTIONS as u64 {
            tasks.spawn(work(
                store.clone(),
                Arc::clone(ids),
                workload,
                Arc::clone(&is_enough),
                seed,
            ));
        }
        Self {
            since: Instant::now(),
            is_enough,
            tasks,
        }
    }

    /// Lets it end, and says how it was served.
    pub(super) async fn stop(mut self) -> Result<Served, Failure> {
        self.is_enough.store(true, Ordering::Relaxed);
        let took = self.since.elapsed();
        let mut latencies = Vec::new();
        while let Some(done) = self.tasks.join_next().await {
            latencies.extend(done??);
        }
        Served::of(latencies, took).ok_or_else(|| "nothing was done in a round".into())
    }
}

async fn work(
    store: impl SessionStore,
    ids: Arc<[SessionId]>,
    workload: Workload,
    is_enough: Arc<AtomicBool>,
    seed: u64,
) -> Result<Vec<Duration>, Failure> {
    let (mut random, mut latencies) = (Random::new(seed), Vec::new());
    while !is_enough.load(Ordering::Relaxed) {
        let id = ids[random.below(ids.len())];
        let writes = match workload {
            Workload::Write => true,
            Workload::Mix => latencies.len() % 10 == 9,
            _ => false,
        };
        let start = Instant::now();
        if writes {
            store.update(&id, &Update::new(alone::page()?)).await?;
        } else {
            found(&store.load(&[id]).await?)?;
        }
        latencies.push(start.elapsed());
    }
    Ok(latencies)
}
