//! tower.
mod adapter;
mod json;
#[cfg(feature = "tower-sessions-014")]
mod v0_14 {
    super::version::version!(tower_sessions_core_014);
}
#[cfg(feature = "tower-sessions")]
mod v0_15 {
    super::version::version!(tower_sessions_core);
}
mod version;
mod view;

use std::sync::Arc;

use http::Extensions;

use crate::session::{Handle, Views};

pub use adapter::TowerSessionsStore;

/// Puts a view for each version into a request's extensions, in the order in which their changes are made.
pub(crate) fn enter(handle: &Arc<Handle>, extensions: &mut Extensions) -> Views {
    let first = handle.candidates().into_iter().next();
    vec![
        #[cfg(feature = "tower-sessions")]
        v0_15::enter(handle, first, extensions),
        #[cfg(feature = "tower-sessions-014")]
        v0_14::enter(handle, first, extensions),
    ]
}
