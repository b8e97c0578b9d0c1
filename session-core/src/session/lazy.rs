use std::sync::{Arc, OnceLock};

use http::{HeaderMap, Request};

use super::{Handle, Views};
use crate::layer::{Config, Setup};

/// What the layer puts into each request: it becomes a [`Handle`] when the session is first asked for.
///
/// Most of an app's requests never ask, so it is as small as can be, and leaves even the cookies where they are.
#[derive(Debug)]
pub(crate) struct LazyHandle {
    setup: Arc<Setup>,
    handle: OnceLock<Arc<Handle>>,
}

impl LazyHandle {
    pub(crate) fn new(setup: &Arc<Setup>) -> Arc<Self> {
        Arc::new(Self {
            setup: Arc::clone(setup),
            handle: OnceLock::new(),
        })
    }

    /// Makes the session known to the extractors, ours and those of other crates, whose views live until the returned
    /// value is dropped.
    #[must_use]
    pub(crate) fn enter<B>(self: &Arc<Self>, request: &mut Request<B>) -> Views {
        request.extensions_mut().insert(Arc::clone(self));
        super::views::enter(self, request)
    }

    /// The handle of the request, which has these headers.
    pub(crate) fn of(&self, headers: &HeaderMap) -> &Arc<Handle> {
        self.handle.get_or_init(|| Handle::new(&self.setup, headers))
    }

    /// The handle, if something asked for it.
    pub(crate) fn asked_for(&self) -> Option<&Arc<Handle>> {
        self.handle.get()
    }

    /// The name of a cookie that this layer and one with the settings `other` would both set.
    pub(crate) fn shared_cookie(&self, other: &Config) -> Option<String> {
        let (ours, theirs) = (self.setup.config.cookie.names(), other.cookie.names());
        ours.into_iter().find(|name| theirs.contains(name)).cloned()
    }
}
