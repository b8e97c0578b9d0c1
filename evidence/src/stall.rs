use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// How often it looks.
const STEP: Duration = Duration::from_millis(5);

/// How long this machine let a thread wait that had something to do: on one that stands still, nothing answers in time.
#[derive(Debug)]
pub(crate) struct Stall(Arc<AtomicU64>);

impl Stall {
    /// Watches until it is dropped.
    pub(crate) fn watch() -> Self {
        let longest = Arc::new(AtomicU64::new(0));
        let known = Arc::downgrade(&longest);
        thread::spawn(move || {
            while let Some(longest) = known.upgrade() {
                let before = Instant::now();
                thread::sleep(STEP);
                let late = before.elapsed().saturating_sub(STEP);
                longest.fetch_max(u64::try_from(late.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
            }
        });
        Self(longest)
    }

    /// The longest so far.
    pub(crate) fn longest(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}
