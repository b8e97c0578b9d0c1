//! Interop with [tower-sessions], 0.15 (feature `tower-sessions`) and 0.14 (feature `tower-sessions-014`), both ways.
//!
//! [tower-sessions]: https://docs.rs/tower-sessions
//!
//! # Its sessions under our layer
//!
//! Under a [`SessionLayer`](crate::SessionLayer), the extractor `tower_sessions::Session` of each version that is
//! switched on is a *view* of the request's session: the same record, the same cookies, the same promises. So crates
//! that stand on tower-sessions work unchanged, and the app needs no `SessionManagerLayer`. axum-login's own layer asks
//! for one, but its service does not:
//!
//! ```
//! use axum::Router;
//! use axum_login::{AuthManager, AuthnBackend};
//! use session_core::{SessionLayer, SessionStore};
//! use tower::layer::layer_fn;
//!
//! fn app<B: AuthnBackend + 'static>(routes: Router, backend: B, store: impl SessionStore) -> Router {
//!     let sessions = SessionLayer::new(store)
//!         .user_from("axum-login.data", |data| data["user_id"].as_str().map(String::from));
//!     routes
//!         .layer(axum_messages::MessagesManagerLayer)
//!         .layer(layer_fn(move |inner| AuthManager::new(inner, backend.clone(), "axum-login.data")))
//!         .layer(sessions)
//! }
//! ```
//!
//! [`user_from`](crate::SessionLayer::user_from) makes axum-login's login a login of ours. Without it the data is all
//! the same, but a session has no user to be listed and ended by, and requests in flight at a login still reach it.
//!
//! What a view does:
//!
//! - It asks nothing of the store until it is used; then it and the app's other uses of the session share one load.
//! - It changes what differs from what it saw, so setting a key to the value it had is no change, other than with
//!   our [`Session`](crate::Session). Its changes are committed together with all others of the request, our
//!   `Session`'s first, then those of 0.15's view, then those of 0.14's: on one key the last one stands.
//! - It sees what our `Session` wrote before the view was first read, unless the request came without a session's
//!   cookie: such a view begins empty. Later writes, and those of the other view, meet its own at the commit.
//! - `save` commits at once. `cycle_id` renews the session in the commit, and deletes nothing. `flush` and `delete` end
//!   it at once; what is written after them begins a new session. A response of 5xx commits nothing, and one of 4xx no
//!   login. (A `flush` after a `cycle_id` ends the session in the commit, since tower-sessions tells nobody of it
//!   before.)
//! - The layer's timeouts rule: `set_expiry` is ignored.
//! - `id` is the [`SessionId`](crate::SessionId) as a number, not the secret of the cookie: that of the request's first
//!   token, and after `save` that of the session if it is a new one.
//! - An error of the store makes the response 503, and a session that ended meanwhile 409, whatever the crate in
//!   between made of it.
//! - A value that cannot be decoded is missing, and logged.
//! - After the response, saves still merge, but no token can be given out: `cycle_id` then ends the session.
//!
//! # Our stores under its layer
//!
//! [`TowerSessionsStore`] makes a store for the stock `tower_sessions::SessionManagerLayer` of any of ours. The stock
//! layer decides when to save and what cookie to send, so not all promises can be kept. Put no `CachingSessionStore`
//! between the two: it would hand out old copies, and write their changes again.
//!
//! | promise | under the stock layer |
//! |---|---|
//! | P1 merge | yes, but for changes made while a `cycle_id` is under way, and for a change that the same request undoes after an explicit `save`. A write that cannot be kept is answered by 500 |
//! | P2 atomic update | no: tower-sessions has none |
//! | P3 ended stays ended | yes, but for a `cycle_id` under way: there it deletes one session and creates another |
//! | P4 nobody else's cookie | in part: a late write to a session that ended sends no cookie, but a late read may remove the new one |
//! | P5 read your writes | yes |
//! | P6 no fixation | yes, but for `cycle_id` followed by 5xx, which loses the session |
//! | P7 a leaked store opens nothing | yes: the store sees a digest of the cookie. Nothing is sealed |
//! | P8 bounded | each call, by the store's own time limit; a store that is down is answered by 500 |
//! | P9 lifetimes | the expiry a session is created with is its idle timeout, and saves count as activity, reads do not; an absolute timeout comes on top |
//! | P10 users | no: nothing tells the store who logged in |
//! | P11 pay for what you use | in part: no call without use, but with `always_save` or `set_expiry` a forged cookie leaves an empty session |
//! | P12 bad data is contained | yes |

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
