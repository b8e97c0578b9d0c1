use std::fmt;

use bytes::Bytes;

/// The key with which a session's values are sealed, wrapped so that only the session's token opens it (promise P7).
///
/// A store keeps the bytes as they are. `Debug` shows their number only.
#[derive(Clone, PartialEq, Eq)]
pub struct Seal(Bytes);

impl Seal {
    /// A seal as a store kept it.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into())
    }

    /// The bytes that a store keeps.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seal({} bytes)", self.0.len())
    }
}
