use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::{Duration, Instant},
};

use crate::error::ConnectError;

const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_millis(500);

/// What failed attempts to connect leave for the next one: until when nobody tries, and why.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
    last: Option<(Instant, Arc<ConnectError>)>,
}

impl Backoff {
    /// Why nobody tries now, if so.
    pub(crate) fn refusal(&self) -> Option<Arc<ConnectError>> {
        let (until, error) = self.last.as_ref()?;
        (Instant::now() < *until).then(|| Arc::clone(error))
    }

    /// An attempt begins. Until it succeeds it counts as one that failed for this reason: whoever makes it may be gone
    /// before it ends.
    pub(crate) fn begin(&mut self, error: ConnectError) {
        self.failures = self.failures.saturating_add(1);
        self.failed(Arc::new(error));
    }

    /// The attempt failed.
    pub(crate) fn failed(&mut self, error: Arc<ConnectError>) {
        self.last = Some((Instant::now() + pause(self.failures), error));
    }

    /// The attempt succeeded.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }
}

/// 10 ms, doubling to 500 ms, less up to a half, so that the instances of an app do not all come at once.
pub(crate) fn pause(failures: u32) -> Duration {
    let longest = (SHORTEST * 2_u32.pow(failures.saturating_sub(1).min(6))).min(LONGEST);
    // The standard library's only randomness: the keys of a hash map.
    let random = RandomState::new().hash_one(failures) as f64 / u64::MAX as f64;
    longest.mul_f64(1.0 - random / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_differ() {
        for (failures, longest) in [(1, 10), (2, 20), (6, 320), (7, 500), (60, 500)] {
            let longest = Duration::from_millis(longest);
            let pauses: Vec<_> = (0..50).map(|_| pause(failures)).collect();
            assert!(pauses.iter().all(|pause| *pause <= longest && *pause >= longest / 2));
            assert!(pauses.windows(2).any(|pair| pair[0] != pair[1]));
        }
    }

    #[test]
    fn a_success_ends_it() {
        let mut backoff = Backoff::default();
        assert!(backoff.refusal().is_none());
        let servers = "redis.example:6379".to_owned();
        backoff.begin(ConnectError::Abandoned { servers });
        assert!(backoff.refusal().is_some());
        backoff.reset();
        assert!(backoff.refusal().is_none());
    }
}
