use crate::load::Round;

/// What the rounds of one variant and workload came to, in their order.
#[derive(Debug, Default)]
pub(super) struct Samples {
    /// Requests a second, as a share of the bare route's beside them.
    pub(super) shares: Vec<f64>,
    /// Requests a second.
    pub(super) rates: Vec<f64>,
    /// The bare route's.
    pub(super) bare: Vec<f64>,
    /// What half of the requests took at most, in milliseconds.
    pub(super) p50: Vec<f64>,
    /// What 99 of 100 took at most.
    pub(super) p99: Vec<f64>,
    /// How many rounds had requests that were not answered as they should.
    pub(super) failed: usize,
    /// What was wrong the first time.
    pub(super) failure: Option<String>,
}

impl Samples {
    /// Adds a round, and that of the bare route beside it.
    pub(super) fn add(&mut self, bare: &Round, round: &Round) {
        self.shares.push(round.rate / bare.rate);
        self.rates.push(round.rate);
        self.bare.push(bare.rate);
        self.p50.push(round.p50.as_secs_f64() * 1000.0);
        self.p99.push(round.p99.as_secs_f64() * 1000.0);
        for round in [bare, round] {
            if round.failures > 0 {
                self.failed += 1;
                self.failure = self.failure.take().or_else(|| round.failure.clone());
            }
        }
    }
}
