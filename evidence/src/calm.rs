use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long after a fault something may still be done that was asked for before: the longest that an instance works for
/// a request, and a second for a slow machine.
const LATE: Duration = Duration::from_secs(3);

/// When something is being harmed, and what.
#[derive(Debug, Default)]
pub(crate) struct Calm(Mutex<State>);

/// What a server had acknowledged this long before it died its replicas have, however slow the machine is.
const LAG: Duration = Duration::from_millis(500);

/// For so long after a fault an instance may still answer what it was asked during the fault.
const BACKLOG: Duration = Duration::from_millis(1500);

#[derive(Debug, Default)]
struct State {
    harmed: Option<Instant>,
    is_harmed: bool,
    mended: Option<Instant>,
    /// Since when servers agree again on who takes writes.
    agreed: Option<Instant>,
    instance: Option<usize>,
}

impl Calm {
    /// Something is harmed from now on; if it is an instance, which one.
    pub(crate) fn disturb(&self, instance: Option<usize>) {
        let mut state = self.state();
        state.harmed = Some(Instant::now());
        state.is_harmed = true;
        state.agreed = None;
        state.instance = instance;
    }

    /// All is as it should be again, but that servers may not agree yet on who takes writes.
    pub(crate) fn mend(&self) {
        let mut state = self.state();
        state.is_harmed = false;
        state.mended = Some(Instant::now());
    }

    /// They agree.
    pub(crate) fn agree(&self) {
        self.state().agreed = Some(Instant::now());
    }

    /// When all was mended last.
    pub(crate) fn mended(&self) -> Option<Instant> {
        let state = self.state();
        state.mended.filter(|_| !state.is_harmed)
    }

    /// Whether nothing can be lost any more that was not lost yet.
    pub(crate) fn is_over(&self) -> bool {
        self.state().agreed.is_some()
    }

    /// Whether it was acknowledged so late that a server which was harmed may have told nobody of it.
    pub(crate) fn may_cost(&self, acknowledged: Instant) -> bool {
        self.state().harmed.is_some_and(|harmed| acknowledged + LAG >= harmed)
    }

    /// Whether this instance is, or just was, what is harmed: how long it takes to answer says nothing then.
    pub(crate) fn is_about(&self, instance: usize) -> bool {
        let state = self.state();
        let is_recent = state.is_harmed || state.mended.is_none_or(|mended| mended.elapsed() < BACKLOG);
        state.instance == Some(instance) && is_recent
    }

    /// Whether all that was asked for at this moment is done by now, or never will be.
    pub(crate) fn is_settled_since(&self, moment: Instant) -> bool {
        let state = self.state();
        let since = match (state.harmed, state.agreed) {
            (None, _) => moment,
            (Some(_), Some(agreed)) => moment.max(agreed),
            (Some(_), None) => return false,
        };
        since.elapsed() > LATE
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
