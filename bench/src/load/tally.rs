use std::time::Duration;

/// What came of the requests of a round.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// How long each took, in the order of their ends.
    pub(super) latencies: Vec<Duration>,
    pub(super) failures: u64,
    /// What was wrong the first time.
    pub(super) failure: Option<String>,
}

impl Tally {
    /// Counts a failure.
    pub(super) fn fail(&mut self, failure: String) {
        self.failures += 1;
        self.failure.get_or_insert(failure);
    }

    /// Counts what came of others.
    pub(super) fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.failures += other.failures;
        self.failure = self.failure.take().or(other.failure);
    }

    /// What the given share of all requests, 0 to 1, took at most. Sorted once by [`sort`](Self::sort).
    pub(super) fn quantile(&self, share: f64) -> Duration {
        let last = self.latencies.len().saturating_sub(1);
        let index = (last as f64 * share).round() as usize;
        self.latencies.get(index).copied().unwrap_or_default()
    }

    /// Puts the latencies into their order, for [`quantile`](Self::quantile).
    pub(super) fn sort(&mut self) {
        self.latencies.sort_unstable();
    }
}
