//! Sessions that stay right when the app runs more than once.

mod change;
mod delta;
mod error;
mod expectation;
mod id;
#[cfg(feature = "axum")]
mod layer;
mod lifetime;
mod loaded;
mod memory;
mod new_session;
mod page;
mod record;
mod renewal;
#[cfg(feature = "axum")]
mod session;
mod session_info;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod token;
#[cfg(any(feature = "tower-sessions", feature = "tower-sessions-014"))]
pub mod tower_sessions;
mod update;
mod value;
mod version;

pub use change::Change;
pub use delta::Delta;
pub use error::Error;
pub use expectation::Expectation;
pub use id::SessionId;
#[cfg(feature = "axum")]
pub use layer::{ConfigError, SameSite, SessionLayer, SessionService};
pub use lifetime::Lifetime;
pub use loaded::Loaded;
pub use memory::MemoryStore;
pub use new_session::NewSession;
pub use page::Page;
pub use record::{Data, Record};
pub use renewal::Renewal;
#[cfg(feature = "axum")]
pub use session::Session;
pub use session_info::SessionInfo;
pub use store::SessionStore;
pub use token::SessionToken;
pub use update::Update;
pub use value::Value;
pub use version::Version;

/// The largest record allowed unless set otherwise, in bytes of all keys and values: 256 KiB.
pub const DEFAULT_MAX_SIZE: u64 = 256 * 1024;
