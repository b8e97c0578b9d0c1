use std::fmt;

use super::NearCache;
use crate::{SessionId, Update, Version};

/// A change of a session that this instance is about to make, for its [`NearCache`], which is not told of it by the
/// link, or too late.
///
/// Dropped, it makes the cache forget the session, or all of them if it may be any: whoever gives up waiting does not
/// know what has become of the change.
#[must_use = "dropping it says that the change may have been made"]
pub struct NearChange<'a> {
    cache: &'a NearCache,
    /// Which session; without one, it may be any.
    id: Option<SessionId>,
    is_done: bool,
}

impl<'a> NearChange<'a> {
    pub(super) const fn new(cache: &'a NearCache, id: Option<SessionId>) -> Self {
        Self {
            cache,
            id,
            is_done: false,
        }
    }

    /// The session has become this version by this update.
    pub fn done(mut self, update: &Update, version: Version) {
        if let Some(id) = &self.id {
            self.cache.changed_here(id, update, version);
            self.is_done = true;
        }
    }

    /// No other sessions than these have changed by it.
    pub fn was_of(mut self, ids: &[SessionId]) {
        ids.iter().for_each(|id| self.cache.forget(id));
        self.is_done = true;
    }
}

impl Drop for NearChange<'_> {
    fn drop(&mut self) {
        match &self.id {
            _ if self.is_done => {}
            Some(id) => self.cache.forget(id),
            None => self.cache.clear(),
        }
    }
}

impl fmt::Debug for NearChange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NearChange").field(&self.id).finish()
    }
}
