//! The middleware: it hands each request a lazy session and commits what the request did to it.
//!
//! ```text
//!  request ──▶ SessionService ── puts a LazyHandle into the request: no store call ──▶ handler
//!                                                                                       │ extracts Session: one load
//!  response ◀── cookies ◀── one commit: nothing | touch | update | create | renew  ◀────┘
//! ```

mod config;
mod cookies;
mod finish;
mod future;
#[allow(clippy::module_inception, reason = "a middleware is a folder: layer, service, ...")]
mod layer;
mod purge;
mod same_site;
mod service;

pub use config::ConfigError;
pub(crate) use config::{Config, Cookie};
#[cfg(any(feature = "testing", all(any(fuzzing, test), feature = "seal")))]
pub(crate) use cookies::encode_token;
pub(crate) use cookies::{Place, RequestCookies, SetCookies};
pub use future::ResponseFuture;
pub use layer::SessionLayer;
pub(crate) use layer::{Setup, Shared};
#[cfg(any(feature = "tower-sessions", feature = "tower-sessions-014"))]
pub(crate) use purge::Purge;
pub use same_site::SameSite;
pub use service::SessionService;
