use std::fmt;

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use crate::DecodeError;

/// How deep `serde_json` decodes.
const MAX_DEPTH: usize = 127;

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
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Value(Bytes);

impl Value {
    /// The JSON text of `value`.
    ///
    /// # Errors
    ///
    /// What `serde_json` finds wrong with it: a map whose keys are no strings, `Serialize` failing by itself, or lists
    /// and maps in each other more than 127 deep, which it could not decode again.
    pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        let text = serde_json::to_vec(value)?;
        if depth(&text) > MAX_DEPTH {
            let message = format!("it is nested more than {MAX_DEPTH} deep");
            return Err(serde::ser::Error::custom(message));
        }
        Ok(Self(text.into()))
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
    /// Damaged text, or a value of another type.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        serde_json::from_slice(&self.0).map_err(DecodeError::from)
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

/// How deep lists and maps are in each other in a JSON text, or a larger number that is allowed.
fn depth(text: &[u8]) -> usize {
    // Each level opens one, and nearly all texts open few: then this is all that a large one costs.
    let opened = text.iter().filter(|byte| matches!(byte, b'[' | b'{')).count();
    if opened <= MAX_DEPTH {
        return opened;
    }
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0usize, 0, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_encoded_can_be_decoded() {
        let nested = |depth: usize| (1..depth).fold(json!(["[[[\"\\"]), |value, _| json!([value, {}]));
        for depth in [1, 100, MAX_DEPTH] {
            let value = Value::encode(&nested(depth)).unwrap();
            assert_eq!(value.decode::<serde_json::Value>().unwrap(), nested(depth));
        }
        assert!(Value::encode(&nested(MAX_DEPTH + 1)).is_err());
        let flat = vec!["[{\"\\"; 1000];
        assert_eq!(Value::encode(&flat).unwrap().decode::<Vec<String>>().unwrap(), flat);
    }
}
