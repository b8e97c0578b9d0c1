use std::fmt;

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

/// One value of a session: JSON text, decoded only when it is asked for.
///
/// A store keeps the text byte for byte. `Debug` shows its length only, for a session's data is not for logs.
///
/// ```
/// use session_core::Value;
///
/// let value = Value::encode(&["tea", "milk"])?;
/// assert_eq!(value.as_bytes(), br#"["tea","milk"]"#);
/// assert_eq!(value.decode::<Vec<String>>()?, ["tea", "milk"]);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Value(Bytes);

impl Value {
    /// The JSON text of `value`.
    ///
    /// # Errors
    ///
    /// What `serde_json` finds wrong with it: a map whose keys are no strings, or `Serialize` failing by itself.
    pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        serde_json::to_vec(value).map(|text| Self(text.into()))
    }

    /// A value as a store kept it. Text that is no JSON is found out by [`decode`](Self::decode), for its key alone.
    #[must_use]
    pub fn from_json(text: impl Into<Bytes>) -> Self {
        Self(text.into())
    }

    /// Decodes the text.
    ///
    /// # Errors
    ///
    /// What `serde_json` finds wrong with it: damaged text, or a value of another type.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.0)
    }

    /// The JSON text.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The length of the text in bytes.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "JSON text is never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({} bytes)", self.0.len())
    }
}
