use std::{
    collections::BTreeMap,
    fmt,
    ops::{Deref, DerefMut},
    sync::Arc,
};

use crate::Value;

/// A session's data: its keys and their values, a map.
///
/// A clone shares them with the original until one of the two is changed, so a store that keeps records in memory hands
/// them out at no cost.
///
/// ```
/// use session_core::{Data, Value};
///
/// let mut data = Data::new();
/// data.insert("theme".into(), Value::encode("dark")?);
/// let before = data.clone();
/// data.remove("theme");
/// assert!(data.is_empty());
/// assert_eq!(before["theme"].decode::<String>()?, "dark");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default, Eq)]
pub struct Data(Option<Arc<BTreeMap<String, Value>>>);

static EMPTY: BTreeMap<String, Value> = BTreeMap::new();

impl Data {
    /// No data.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Deref for Data {
    type Target = BTreeMap<String, Value>;

    fn deref(&self) -> &Self::Target {
        self.0.as_deref().unwrap_or(&EMPTY)
    }
}

/// Takes a copy first if the data is shared.
impl DerefMut for Data {
    fn deref_mut(&mut self) -> &mut Self::Target {
        Arc::make_mut(self.0.get_or_insert_default())
    }
}

impl PartialEq for Data {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl FromIterator<(String, Value)> for Data {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(values: I) -> Self {
        Self(Some(Arc::new(values.into_iter().collect())))
    }
}

impl<'a> IntoIterator for &'a Data {
    type Item = (&'a String, &'a Value);
    type IntoIter = std::collections::btree_map::Iter<'a, String, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;

    #[test]
    fn a_clone_is_shared_until_one_of_the_two_is_changed() {
        let mut data = Data::from_iter([("a".into(), Value::from_json("1"))]);
        let mut clone = data.clone();
        assert!(ptr::eq(&*data, &*clone));
        clone.insert("b".into(), Value::from_json("2"));
        data.remove("a");
        assert_eq!(data, Data::new());
        assert_eq!(clone.keys().collect::<Vec<_>>(), ["a", "b"]);
    }
}
