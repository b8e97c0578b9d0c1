use std::time::Duration;

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout};

use super::{
    browser::{Browser, Step},
    connection::Connection,
    lane::Lane,
    order::Job,
    tally::Tally,
};
use crate::workload::Workload;

/// How long a round may take: what takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// What came of a round.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Round {
    /// Requests that were answered as they should.
    pub(crate) requests: u64,
    /// Those a second.
    pub(crate) rate: f64,
    /// What half of them took at most.
    pub(crate) p50: Duration,
    /// What 99 of 100 took at most.
    pub(crate) p99: Duration,
    /// Requests that were not answered as they should.
    pub(crate) failures: u64,
    /// What was wrong the first time.
    pub(crate) failure: Option<String>,
}

impl Round {
    fn of(mut tally: Tally, took: Duration) -> Self {
        tally.sort();
        let requests = tally.latencies.len() as u64;
        Self {
            requests,
            rate: requests as f64 / took.as_secs_f64(),
            p50: tally.quantile(0.5),
            p99: tally.quantile(0.99),
            failures: tally.failures,
            failure: tally.failure,
        }
    }
}

/// Logs browsers in, on all connections at once.
pub(super) async fn begin(lanes: &mut [Lane], size: usize, sessions: usize) -> Round {
    let (start, count) = (Instant::now(), lanes.len());
    let tally = all(lanes.iter_mut().map(|lane| lane.begin(size, sessions, count))).await;
    Round::of(tally, start.elapsed())
}

/// Does a job.
pub(super) async fn run(lanes: &mut [Lane], job: Job) -> Round {
    let used = &mut lanes[..job.connections];
    let mut tally = Tally::default();
    let shared = match job.workload {
        Workload::Cold => {
            tally = all(used.iter_mut().map(|lane| lane.chill(job.size))).await;
            tally.latencies.clear();
            None
        }
        Workload::Contended => counted(used, job.size, &mut tally).await,
        Workload::Read | Workload::Mix | Workload::Write | Workload::Update => {
            // A round is a fraction of a second, and what goes before it is other apps' rounds: begin as if it went on.
            tally = all(used.iter_mut().map(|lane| lane.warm_up(&job))).await;
            tally.latencies.clear();
            None
        }
        Workload::Bare | Workload::Plain | Workload::Login => None,
    };
    let start = Instant::now();
    let until = start + job.duration;
    let round = all(used.iter_mut().map(|lane| lane.run(&job, shared.clone(), until))).await;
    let took = start.elapsed();
    tally.add(round);
    if let Some(before) = shared
        && let Some(after) = counted(used, job.size, &mut tally).await
    {
        let (acknowledged, counted) = (tally.latencies.len() as u64, after.count - before.count);
        if acknowledged != counted {
            tally.fail(format!(
                "{acknowledged} updates were acknowledged, and {counted} counted"
            ));
        }
    }
    Round::of(tally, took)
}

/// What came of what all lanes do at once.
async fn all(lanes: impl Iterator<Item = impl Future<Output = Tally>>) -> Tally {
    let mut total = Tally::default();
    for tally in join_all(lanes.map(|lane| timeout(PATIENCE, lane))).await {
        match tally {
            Ok(tally) => total.add(tally),
            Err(_) => total.fail(format!("no answer within {PATIENCE:?}")),
        }
    }
    total
}

/// The browser whose session all share, knowing what its counter has come to.
async fn counted(lanes: &mut [Lane], size: usize, tally: &mut Tally) -> Option<Browser> {
    let lane = lanes.first_mut()?;
    let address = lane.address();
    let browser = lane.first(size)?;
    let asked = match Connection::open(address).await {
        Ok(mut connection) => browser.take(Step::Count, &mut connection).await,
        Err(error) => Err(error.to_string()),
    };
    match asked {
        Ok(()) => Some(browser.clone()),
        Err(failure) => {
            tally.fail(failure);
            None
        }
    }
}
