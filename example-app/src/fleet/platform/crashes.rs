use std::time::Duration;

use tokio::time::Instant;

/// How often an instance that crashes is started again at once; after that it waits, until its crashes are forgotten.
const AT_ONCE: usize = 3;
const BACK_OFF: Duration = Duration::from_secs(5);
const FORGOTTEN: Duration = Duration::from_secs(60);

/// The crashes of the last minute: the numbers of the instances, and when they crashed.
#[derive(Debug, Default)]
pub(super) struct Crashes(Vec<(u32, Instant)>);

impl Crashes {
    /// An instance with this number has crashed now: when it is to be started again.
    pub(super) fn add(&mut self, index: u32) -> Instant {
        let now = Instant::now();
        self.0.retain(|(_, at)| now.duration_since(*at) < FORGOTTEN);
        self.0.push((index, now));
        let lately = self.0.iter().filter(|(crashed, _)| *crashed == index).count();
        if lately > AT_ONCE { now + BACK_OFF } else { now }
    }

    /// One with this number cannot be started: when that is to be tried again.
    pub(super) fn later() -> Instant {
        Instant::now() + BACK_OFF
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{advance, pause};

    use super::*;

    #[tokio::test]
    async fn an_instance_that_crashes_again_and_again_waits_until_that_is_forgotten() {
        pause();
        let mut crashes = Crashes::default();
        for _ in 0..AT_ONCE {
            assert_eq!(crashes.add(0), Instant::now());
        }
        assert_eq!(crashes.add(0), Instant::now() + BACK_OFF);
        assert_eq!(crashes.add(1), Instant::now(), "another instance");
        advance(FORGOTTEN).await;
        assert_eq!(crashes.add(0), Instant::now());
    }
}
