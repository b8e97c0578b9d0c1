use std::{fmt::Debug, sync::Arc};

use async_trait::async_trait;
use http::Request;

use super::LazyHandle;

/// Another face of a request's session, which keeps its changes to itself until it is asked for them.
#[async_trait]
pub(crate) trait View: Debug + Send + Sync {
    /// Hands what was changed since the last time over to the handle, or the error that forbids it.
    async fn collect(&self);
}

/// The views of one request, in the order in which their changes are made: on one key, the last one stands.
pub(crate) type Views = Vec<Arc<dyn View>>;

/// Puts the views that the features switch on into a request's extensions.
pub(super) fn enter<B>(lazy: &LazyHandle, request: &mut Request<B>) -> Views {
    #[cfg(any(feature = "tower-sessions", feature = "tower-sessions-014"))]
    {
        let handle = lazy.of(request.headers());
        let views = crate::tower_sessions::enter(handle, request.extensions_mut());
        handle.ask_later(&views);
        views
    }
    #[cfg(not(any(feature = "tower-sessions", feature = "tower-sessions-014")))]
    {
        let _ = (lazy, request);
        Views::new()
    }
}
