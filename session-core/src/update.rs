use crate::{DEFAULT_MAX_SIZE, Delta, Expectation, Seal, Value};

/// A change to [merge](crate::SessionStore::update) into a session.
///
/// ```
/// use session_core::{Delta, Update, Value};
///
/// let mut delta = Delta::default();
/// delta.set("visits", Value::encode(&2)?)?;
/// let update = Update::new(delta).expecting("visits", Some(Value::encode(&1)?));
/// assert!(update.expectation.is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Update {
    /// The keys to set and to remove. An empty one is allowed and still counts a version.
    pub delta: Delta,
    /// What must hold for the change to be made, beyond the session being alive.
    pub expectation: Option<Expectation>,
    /// Whether the change counts as activity too and starts the idle timeout again.
    pub touch: bool,
    /// The seal of a session that has none yet; another keeps its own. A change that carries one is made under this id
    /// or not at all: it is not led to where the session was renewed to.
    pub seal: Option<Seal>,
    /// The largest record allowed after it: the sum of the bytes of all keys and values. 256 KiB unless set.
    pub max_size: u64,
}

impl Update {
    /// A change that expects nothing and does not touch.
    #[must_use]
    pub const fn new(delta: Delta) -> Self {
        Self {
            delta,
            expectation: None,
            touch: false,
            seal: None,
            max_size: DEFAULT_MAX_SIZE,
        }
    }

    /// Makes the change only if `key` still has `value`; `None` means that it has none.
    #[must_use]
    pub fn expecting(mut self, key: impl Into<String>, value: Option<Value>) -> Self {
        self.expectation = Some(Expectation { key: key.into(), value });
        self
    }

    /// Counts as activity too.
    #[must_use]
    pub const fn touching(mut self) -> Self {
        self.touch = true;
        self
    }
}
