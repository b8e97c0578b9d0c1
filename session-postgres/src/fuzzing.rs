//! What the targets in `fuzz/` reach into, and tests; there only with the cfg that cargo-fuzz sets.

use session_core::{About, Delta, SessionId};
use uuid::Uuid;

use crate::{
    announcement::Announcement,
    record::{decode_data, encode_sets},
};

/// Reads the column `data`: of an object all keys, and each string as it is; what was read is written and read the same
/// again.
///
/// # Panics
///
/// If it does not.
#[allow(clippy::unwrap_used, reason = "a panic is what a fuzz target looks for")]
pub fn data(text: &str) {
    let _about = About::from_json(text);
    let data = decode_data(text);
    if let Ok(serde_json::Value::Object(object)) = serde_json::from_str(text) {
        let data = data.as_ref().unwrap();
        assert!(data.keys().eq(object.keys()), "{data:?}");
        for (key, value) in object {
            if let serde_json::Value::String(string) = value {
                assert_eq!(data[&key].as_bytes(), string.as_bytes());
            }
        }
    }
    let Ok(data) = data else { return };
    let mut delta = Delta::default();
    for (key, value) in &data {
        // Not all that JSON can name can be a session's key.
        let _refused = delta.set(key, value.clone());
    }
    // An unescaped U+0000 is refused.
    if let Ok(text) = encode_sets(&delta) {
        let again = decode_data(&text).unwrap();
        assert!(again.iter().map(|(key, value)| (key.as_str(), value)).eq(delta.sets()));
    }
}

/// Reads nothing out of a notification but what it says, and whatever it says in any company.
///
/// # Panics
///
/// If it does not.
pub fn announcements(payload: &str) {
    let read: Vec<_> = Announcement::read_all(payload).collect();
    let plain = payload.to_ascii_lowercase().replace('-', "");
    for announcement in &read {
        let said = match announcement {
            Announcement::Ended(id) => vec![id],
            Announcement::Renewed(from, to) => vec![from, to],
            Announcement::Changed(id, _) => vec![id],
            Announcement::Asked(_) => vec![],
        };
        assert!(
            said.into_iter().all(|id| plain.contains(&id.to_string())),
            "{announcement:?}"
        );
    }
    let uuid = |id: &SessionId| Uuid::from_bytes(*id.as_bytes());
    let text = |announcement: &Announcement| match announcement {
        Announcement::Ended(id) => uuid(id).to_string(),
        Announcement::Renewed(from, to) => format!("{}>{}", uuid(from), uuid(to)),
        Announcement::Asked(id) => format!("?{id}"),
        Announcement::Changed(id, version) => {
            let version = version.map(|version| version.0.to_string());
            format!("{}={}", uuid(id), version.unwrap_or_default())
        }
    };
    let told: Vec<_> = read.iter().map(text).collect();
    assert!(Announcement::read_all(&told.join(" ")).eq(read));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_in_the_column_is_read_as_it_is(
            text in prop_oneof![
                any::<String>(),
                // Much like JSON.
                "[{}\\[\\]\",:a0e.u\\\\ -]{0,60}",
                "\\{(\"[a-c]{0,3}\":(\"[^\"\\\\]{0,5}\"|1e9|null|\\[\\]|\\{\"a\":1\\}|\"\\\\u0000\"),){0,4}\"d\":\"1\"\\}",
            ],
        ) {
            data(&text);
        }

        #[test]
        fn a_notification_says_what_it_says(
            payload in "([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9A-F]{32}|[> {}-]|x){0,8}",
        ) {
            announcements(&payload);
        }
    }
}
