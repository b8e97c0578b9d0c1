//! Sessions that stay right when the app runs more than once: the words, the store trait, a store in memory, and the
//! tower layer.
//!
//! ```
//! use axum::{Router, routing::get};
//! use session_core::{Error, MemoryStore, Session, SessionLayer};
//!
//! async fn visits(session: Session) -> Result<String, Error> {
//!     let visits: u64 = session.update("visits", |n: Option<u64>| n.unwrap_or(0) + 1).await?;
//!     Ok(format!("visit {visits}"))
//! }
//!
//! let app: Router = Router::new()
//!     .route("/", get(visits))
//!     .layer(SessionLayer::new(MemoryStore::new()));
//! ```
//!
//! For several instances take the stores of `session-redis` or `session-postgres` instead of [`MemoryStore`]; nothing
//! else changes.
//!
//! # What two requests of one session see of each other
//!
//! Each request loads the session once, when its handler extracts [`Session`], and sees it as it was then, with its own
//! changes on top. What it changed is merged into the store before its response is sent, key by key: changes to
//! different keys all survive, and on one key the later commit stands. [`Session::update`] works on the newest value
//! instead. A login or a renewal moves the session to a new token: a request that was in flight meanwhile can still
//! write to a session that was renewed, and is refused (409) by one that somebody logged in to or out of.
//!
//! # Once, not N times
//!
//! [`run_once`] does an app's own set-up work once, however many instances start with it.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `axum` | yes | [`SessionLayer`], [`Session`] and what they need; without it the crate has no web dependency |
//! | `once` | yes | [`run_once`]; without it, `watch` and `axum` the crate has no runtime |
//! | `cloud-foundry` | | `cloud_foundry`: the Redis and the PostgreSQL that Cloud Foundry bound to the app |
//! | `conformance` | | `conformance_tests!` and `once_tests!`, the suites for those who write a store |
//! | `seal` | | `SessionLayer::seal`: stores see sealed values only |
//! | `testing` | | `testing`: mint a logged-in cookie for an app's own tests |
//! | `tower-sessions` | | `tower_sessions::Session` of 0.15 under our layer, and our stores under its layer |
//! | `tower-sessions-014` | | the same for 0.14, on which axum-login 0.18 stands |
//! | `watch` | with `axum` | [`until_ended`]: waits for a session's end, wherever that comes from |

mod about;
mod change;
#[cfg(feature = "cloud-foundry")]
pub mod cloud_foundry;
#[cfg(feature = "conformance")]
pub mod conformance;
mod data;
mod decode_error;
mod delta;
mod error;
mod excess;
mod expectation;
mod fate;
#[cfg(all(any(fuzzing, test), feature = "seal"))]
#[doc(hidden)]
pub mod fuzzing;
mod id;
mod jitter;
#[cfg(feature = "axum")]
mod layer;
mod lifetime;
mod loaded;
mod login;
mod marker;
mod memory;
mod near;
mod new_session;
mod once;
mod page;
mod record;
mod renewal;
mod renewal_nonce;
mod seal;
#[cfg(feature = "seal")]
mod sealing;
#[cfg(feature = "axum")]
mod session;
mod session_info;
mod session_limit;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod token;
#[cfg(any(feature = "tower-sessions", feature = "tower-sessions-014"))]
pub mod tower_sessions;
mod update;
mod value;
mod version;
#[cfg_attr(
    not(feature = "watch"),
    allow(dead_code, reason = "without the feature nobody waits")
)]
mod watch;

pub use about::About;
pub use change::Change;
pub use data::Data;
pub use decode_error::DecodeError;
pub use delta::Delta;
pub use error::Error;
pub use excess::Excess;
pub use expectation::Expectation;
pub use fate::Fate;
pub use id::SessionId;
#[cfg(feature = "axum")]
pub use layer::{ConfigError, ResponseFuture, SameSite, SessionLayer, SessionService};
pub use lifetime::Lifetime;
pub use loaded::Loaded;
pub use login::Login;
pub use marker::Marker;
pub use memory::MemoryStore;
pub use near::{NearCache, NearChange, NearLink, Reading};
pub use new_session::NewSession;
#[cfg(feature = "once")]
pub use once::run_once;
pub use once::{Claim, Claimed, OnceStore};
pub use page::Page;
pub use record::Record;
pub use renewal::Renewal;
pub use renewal_nonce::RenewalNonce;
pub use seal::Seal;
#[cfg(feature = "axum")]
pub use session::{Device, LoginOptions, Session};
pub use session_info::SessionInfo;
pub use session_limit::SessionLimit;
pub use store::SessionStore;
pub use token::SessionToken;
pub use update::Update;
pub use value::Value;
pub use version::Version;
#[cfg(feature = "watch")]
pub use watch::until_ended;
pub use watch::{Watch, WatchLink};

/// The largest record allowed unless set otherwise, in bytes of all keys and values: 256 KiB.
pub const DEFAULT_MAX_SIZE: u64 = 256 * 1024;
