use std::collections::BTreeMap;

use crate::{Change, Data, Error, Value};

/// What one request did to a session: the keys it set and the keys it removed, and no others.
///
/// A store merges a delta into whatever the record holds by then, so two requests that change different keys both
/// keep their changes (promise P1).
///
/// ```
/// use session_core::{Delta, Value};
///
/// let mut delta = Delta::default();
/// delta.set("theme", Value::encode("dark")?)?;
/// delta.set("cart", Value::encode(&[1, 2])?)?;
/// delta.remove("cart"); // on one key the later change stands
/// assert_eq!(delta.sets().count(), 1);
/// assert_eq!(delta.removals().collect::<Vec<_>>(), ["cart"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delta(BTreeMap<String, Change>);

impl Delta {
    /// The longest key, in bytes.
    pub const MAX_KEY_LEN: usize = 255;

    /// Sets `key` to `value`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidKey`] for a key that is empty, longer than [`MAX_KEY_LEN`](Self::MAX_KEY_LEN), or holds the
    /// character U+0000, which Postgres cannot keep and `session-redis` reserves.
    pub fn set(&mut self, key: impl Into<String>, value: Value) -> Result<(), Error> {
        let key = key.into();
        check_key(&key)?;
        self.0.insert(key, Change::Set(value));
        Ok(())
    }

    /// Removes `key`. A key that could not have been set is none to remove, and is left out.
    pub fn remove(&mut self, key: impl Into<String>) {
        let key = key.into();
        if check_key(&key).is_ok() {
            self.0.insert(key, Change::Remove);
        }
    }

    /// Makes the changes of `later` after these.
    #[cfg(feature = "axum")]
    pub(crate) fn extend(&mut self, later: Self) {
        self.0.extend(later.0);
    }

    /// What this delta does to `key`, if it does anything.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Change> {
        self.0.get(key)
    }

    /// Takes back whatever this delta does to `key`.
    pub fn forget(&mut self, key: &str) {
        self.0.remove(key);
    }

    /// The changes, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Change)> {
        self.0.iter().map(|(key, change)| (key.as_str(), change))
    }

    /// The keys that are set, each with its value, in order.
    pub fn sets(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.iter().filter_map(|(key, change)| match change {
            Change::Set(value) => Some((key, value)),
            Change::Remove => None,
        })
    }

    /// The keys that are removed, in order.
    pub fn removals(&self) -> impl Iterator<Item = &str> {
        self.iter()
            .filter(|(_, change)| **change == Change::Remove)
            .map(|(key, _)| key)
    }

    /// The bytes of the keys that are set, and of their values.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.sets().map(|(key, value)| (key.len() + value.len()) as u64).sum()
    }

    /// Whether nothing is changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Makes the changes of `self` in `data`.
    pub fn apply_to(&self, data: &mut Data) {
        for (key, change) in &self.0 {
            match change {
                Change::Set(value) => data.insert(key.clone(), value.clone()),
                Change::Remove => data.remove(key),
            };
        }
    }
}

fn check_key(key: &str) -> Result<(), Error> {
    let reason = match key {
        "" => "it is empty",
        _ if key.len() > Delta::MAX_KEY_LEN => "it is longer than 255 bytes",
        _ if key.contains('\0') => "it holds the character U+0000",
        _ => return Ok(()),
    };
    Err(Error::InvalidKey {
        key: key.chars().take(40).collect(),
        reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_no_store_could_keep_are_refused() {
        let mut delta = Delta::default();
        let long = "k".repeat(Delta::MAX_KEY_LEN + 1);
        for key in ["", "a\0b", &long] {
            let refused = delta.set(key, Value::from_json("1"));
            assert!(matches!(refused, Err(Error::InvalidKey { .. })));
            delta.remove(key);
        }
        assert!(delta.is_empty());
        assert!(delta.set(&long[1..], Value::from_json("1")).is_ok());
    }

    #[test]
    fn a_delta_holds_the_last_change_of_each_key() {
        let (one, two) = (Value::from_json("1"), Value::from_json("2"));
        let mut delta = Delta::default();
        assert!(delta.is_empty());
        delta.set("b", one.clone()).unwrap();
        delta.set("b", two.clone()).unwrap();
        delta.set("a", one.clone()).unwrap();
        delta.set("c", one.clone()).unwrap();
        delta.remove("c");
        delta.remove("d");
        delta.remove("e");
        delta.forget("e");
        assert!(!delta.is_empty());
        assert_eq!(delta.get("b"), Some(&Change::Set(two.clone())));
        assert_eq!(delta.get("c"), Some(&Change::Remove));
        assert_eq!(delta.get("e"), None);
        assert_eq!(delta.sets().collect::<Vec<_>>(), [("a", &one), ("b", &two)]);
        assert_eq!(delta.removals().collect::<Vec<_>>(), ["c", "d"]);
        assert!(delta.iter().map(|(key, _)| key).eq(["a", "b", "c", "d"]));
    }
}
