use std::fmt;

use super::Watch;
use crate::SessionId;

/// A store's link to whatever announces changes: while it stands, every end and renewal is told through it.
///
/// Making one tells those who wait that anything may have happened before, so they look for themselves. Dropping it
/// tells that the link is lost: until there is another one they look about every second.
pub struct WatchLink(Watch);

impl WatchLink {
    pub(super) fn new(watch: &Watch) -> Self {
        watch.link_up();
        Self(watch.clone())
    }

    /// Tells that the session `id` is over: it has ended, or somebody logged in from it.
    pub fn ended(&self, id: &SessionId) {
        self.0.ended(id);
    }

    /// Tells that the session `from` was renewed, but not by a login, and goes on as `to`.
    pub fn renewed(&self, from: &SessionId, to: &SessionId) {
        self.0.renewed(from, to);
    }
}

impl Drop for WatchLink {
    fn drop(&mut self) {
        self.0.link_down();
    }
}

impl fmt::Debug for WatchLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WatchLink").finish()
    }
}
