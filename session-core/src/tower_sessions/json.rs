use std::collections::HashMap;

use crate::{Data, Delta, Error, Value};

/// A session's data as tower-sessions holds it: every value decoded.
pub(super) type Json = HashMap<String, serde_json::Value>;

/// Decodes all values. One that cannot be decoded is left out and logged; nothing then sees, changes or removes it.
pub(super) fn decode(data: &Data) -> Json {
    let decoded = data.iter().filter_map(|(key, value)| match value.decode() {
        Ok(value) => Some((key.clone(), value)),
        Err(source) => {
            tracing::warn!(key, %source, "a session value cannot be decoded");
            None
        }
    });
    decoded.collect()
}

/// What made `after` of `before`.
pub(super) fn diff(before: &Json, after: &Json) -> Result<Delta, Error> {
    let mut delta = Delta::default();
    for key in before.keys().filter(|key| !after.contains_key(*key)) {
        delta.remove(key);
    }
    for (key, value) in after.iter().filter(|(key, value)| before.get(*key) != Some(value)) {
        let value = Value::encode(value).map_err(|source| Error::Encode {
            key: key.clone(),
            source: source.into(),
        })?;
        delta.set(key, value)?;
    }
    Ok(delta)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn data(value: serde_json::Value) -> Json {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_diff_names_what_changed_and_nothing_else() {
        let before = data(json!({"same": {"a": [1, null]}, "changed": 1, "gone": 1}));
        let after = data(json!({"same": {"a": [1, null]}, "changed": 1.5, "new": "x"}));
        let delta = diff(&before, &after).unwrap();
        assert_eq!(delta.removals().collect::<Vec<_>>(), ["gone"]);
        assert_eq!(delta.sets().map(|(key, _)| key).collect::<Vec<_>>(), ["changed", "new"]);
        assert!(diff(&after, &after).unwrap().is_empty());
    }

    #[test]
    fn a_damaged_value_is_neither_seen_nor_removed() {
        let stored = Data::from_iter([
            ("damaged".into(), Value::from_json("{")),
            ("whole".into(), Value::from_json("1")),
        ]);
        let seen = decode(&stored);
        assert_eq!(seen, data(json!({"whole": 1})));
        assert_eq!(
            diff(&seen, &Json::new()).unwrap().removals().collect::<Vec<_>>(),
            ["whole"]
        );
    }
}
