use std::time::Duration;

/// How a crowd was served.
#[derive(Clone, Copy, Debug)]
pub(super) struct Served {
    /// Operations a second.
    pub(super) rate: f64,
    /// What half of them took at most, in milliseconds.
    pub(super) p50: f64,
    /// What 99 of 100 took at most.
    pub(super) p99: f64,
}

impl Served {
    /// Of what each operation took, in any order, and how long it took in all.
    pub(super) fn of(mut latencies: Vec<Duration>, took: Duration) -> Option<Self> {
        latencies.sort_unstable();
        let last = latencies.len().checked_sub(1)?;
        let at = |share: f64| latencies[(last as f64 * share).round() as usize].as_secs_f64() * 1000.0;
        Some(Self {
            rate: latencies.len() as f64 / took.as_secs_f64(),
            p50: at(0.5),
            p99: at(0.99),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ninety_nine_of_a_hundred_took_p99_at_most() {
        let latencies: Vec<_> = (1..=101).rev().map(Duration::from_millis).collect();
        let served = Served::of(latencies, Duration::from_secs(2)).unwrap();
        assert_eq!((served.rate, served.p50, served.p99), (50.5, 51.0, 100.0));
        assert!(Served::of(Vec::new(), Duration::from_secs(2)).is_none());
    }
}
