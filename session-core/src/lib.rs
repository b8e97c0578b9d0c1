//! Sessions that stay right when the app runs more than once.

mod change;
#[cfg(feature = "conformance")]
pub mod conformance;
mod delta;
mod error;
mod expectation;
mod id;
mod lifetime;
mod loaded;
mod memory;
mod new_session;
mod page;
mod record;
mod renewal;
mod session_info;
mod store;
mod token;
mod update;
mod value;
mod version;

pub use change::Change;
pub use delta::Delta;
pub use error::Error;
pub use expectation::Expectation;
pub use id::SessionId;
pub use lifetime::Lifetime;
pub use loaded::Loaded;
pub use memory::MemoryStore;
pub use new_session::NewSession;
pub use page::Page;
pub use record::{Data, Record};
pub use renewal::Renewal;
pub use session_info::SessionInfo;
pub use store::SessionStore;
pub use token::SessionToken;
pub use update::Update;
pub use value::Value;
pub use version::Version;

/// The largest record allowed unless set otherwise, in bytes of all keys and values: 256 KiB.
pub const DEFAULT_MAX_SIZE: u64 = 256 * 1024;
