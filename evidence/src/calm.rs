use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long after a fault something may still be done that was asked for before: the longest that an instance works for a
/// request, and a second for a slow machine.
const LATE: Duration = Duration::from_secs(3);

/// When something is being harmed, and what.
#[derive(Debug, Default)]
pub(crate) struct Calm(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    is_harmed: bool,
    mended: Option<Instant>,
    instance: Option<usize>,
}

impl Calm {
    /// Something is harmed from now on; if it is an instance, which one.
    pub(crate) fn disturb(&self, instance: Option<usize>) {
        let mut state = self.state();
        state.is_harmed = true;
        state.instance = instance;
    }

    /// All is as it should be again.
    pub(crate) fn mend(&self) {
        let mut state = self.state();
        state.is_harmed = false;
        state.mended = Some(Instant::now());
    }

    /// When all was mended last.
    pub(crate) fn mended(&self) -> Option<Instant> {
        let state = self.state();
        state.mended.filter(|_| !state.is_harmed)
    }

    /// Whether this instance is, or just was, what is harmed: how long it takes to answer says nothing then.
    pub(crate) fn is_about(&self, instance: usize) -> bool {
        self.state().instance == Some(instance)
    }

    /// Whether all that was asked for at this moment is done by now, or never will be.
    pub(crate) fn is_settled_since(&self, moment: Instant) -> bool {
        let state = self.state();
        let since = state.mended.map_or(moment, |mended| mended.max(moment));
        !state.is_harmed && since.elapsed() > LATE
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
