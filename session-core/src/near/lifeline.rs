use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

/// Who wants to know within this time whether the link lives.
const INTEREST: Duration = Duration::from_secs(60);

/// How long what is kept may be served: for a lease after the link's last proof of life.
#[derive(Debug)]
pub(super) struct Lifeline {
    start: Instant,
    lease: Duration,
    /// Until when, and when it was last asked: nanoseconds since `start`.
    until: AtomicU64,
    asked: AtomicU64,
    /// The number of the link that counts, the newest one.
    link: Mutex<u64>,
}

impl Lifeline {
    pub(super) fn new(lease: Duration) -> Self {
        Self {
            start: Instant::now(),
            lease,
            until: AtomicU64::new(0),
            asked: AtomicU64::new(0),
            link: Mutex::default(),
        }
    }

    pub(super) const fn lease(&self) -> Duration {
        self.lease
    }

    /// Whether the link is known to live.
    pub(super) fn holds(&self, now: Instant) -> bool {
        let now = self.nanos(now);
        self.asked.store(now, SeqCst);
        now < self.until.load(SeqCst)
    }

    /// Whether anybody has asked lately: if not, nothing needs to be proven.
    pub(super) fn is_wanted(&self, now: Instant) -> bool {
        let asked = self.asked.load(SeqCst);
        let idle = self.nanos(now).saturating_sub(asked);
        asked > 0 && Duration::from_nanos(idle) < INTEREST
    }

    /// There is a new link; its number.
    pub(super) fn link_up(&self) -> u64 {
        let mut link = self.link();
        *link += 1;
        self.until.store(0, SeqCst);
        *link
    }

    /// All that was acknowledged anywhere before `sent` has come through this link.
    pub(super) fn prove(&self, number: u64, sent: Instant) {
        let link = self.link();
        if *link == number {
            self.until.fetch_max(self.nanos(sent + self.lease), SeqCst);
        }
    }

    /// This link is lost; whether it was the one that counts.
    pub(super) fn link_down(&self, number: u64) -> bool {
        let mut link = self.link();
        let is_newest = *link == number;
        if is_newest {
            // No link has this number.
            *link += 1;
            self.until.store(0, SeqCst);
        }
        is_newest
    }

    fn link(&self) -> MutexGuard<'_, u64> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn nanos(&self, time: Instant) -> u64 {
        let nanos = time.saturating_duration_since(self.start).as_nanos();
        u64::try_from(nanos).unwrap_or(u64::MAX)
    }
}
