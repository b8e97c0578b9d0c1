//! What stands between a session's values and the store that keeps them: with the feature `seal`, the session's key.
//!
//! Both faces are the same, so the rest of the layer knows nothing of the feature.

#[cfg(not(feature = "seal"))]
mod plain;
#[cfg(feature = "seal")]
mod sealed;

#[cfg(not(feature = "seal"))]
pub(crate) use plain::Vault;
#[cfg(feature = "seal")]
pub(crate) use sealed::Vault;

/// Why a value cannot be read.
pub(crate) type Unreadable = Box<dyn std::error::Error + Send + Sync>;
