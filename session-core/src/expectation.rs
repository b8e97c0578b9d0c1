use crate::Value;

/// A condition of an [`Update`](crate::Update): one key still has the value its writer saw.
///
/// It is a compare-and-set on one key, so writes to other keys never conflict with it. Values are compared byte for
/// byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The key.
    pub key: String,
    /// The value it must have; `None` if it must have none.
    pub value: Option<Value>,
}
