use crate::Value;

/// What a [`Delta`](crate::Delta) does to one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The key is gone afterwards.
    Remove,
    /// The key has this value afterwards.
    Set(Value),
}
