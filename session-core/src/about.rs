use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::DecodeError;

/// What a login says of itself, for the list of its user's sessions and for the limits on them.
///
/// Stores keep it as the text of [`to_json`](Self::to_json), and look at nothing of it but the class.
///
/// ```
/// use session_core::About;
///
/// let mut about = About::default();
/// assert_eq!(about.to_json(), None); // nothing to keep
/// about.label = Some("Firefox on Linux".into());
/// assert_eq!(about.to_json().map(|json| About::from_json(&json)), Some(about));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct About {
    /// The kind of session, as limits count them. Empty unless set.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub class: String,
    /// What the user knows the device by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Where the login came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// When the user showed who they are, if that was before the login, in whole milliseconds.
    #[serde(with = "millis", skip_serializing_if = "Option::is_none")]
    pub authenticated: Option<OffsetDateTime>,
}

impl About {
    /// The text that a store keeps; `None` if there is nothing to keep.
    #[must_use]
    pub fn to_json(&self) -> Option<String> {
        if *self == Self::default() {
            return None;
        }
        // Nothing in it can fail to be written.
        serde_json::to_string(self).ok()
    }

    /// What a store kept. Text that cannot be read says nothing, and is logged: it is no reason to lose the session.
    #[must_use]
    pub fn from_json(text: &str) -> Self {
        serde_json::from_str(text)
            .map_err(DecodeError::from)
            .unwrap_or_else(|error| {
                tracing::warn!(%error, "what a login said of itself cannot be read");
                Self::default()
            })
    }
}

mod millis {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
    use time::OffsetDateTime;

    pub(super) fn serialize<S: Serializer>(time: &Option<OffsetDateTime>, serializer: S) -> Result<S::Ok, S::Error> {
        let ms = time.map(|time| i64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or_default());
        ms.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<OffsetDateTime>, D::Error> {
        let ms = Option::<i64>::deserialize(deserializer)?;
        let time = ms.map(|ms| OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000));
        time.transpose().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_text_is_as_ever() {
        let about = About {
            class: "privileged".into(),
            label: Some("Firefox".into()),
            address: "::1".parse().ok(),
            authenticated: OffsetDateTime::from_unix_timestamp(1_700_000_000).ok(),
        };
        let text = r#"{"class":"privileged","label":"Firefox","address":"::1","authenticated":1700000000000}"#;
        assert_eq!(about.to_json().as_deref(), Some(text));
        assert_eq!(About::from_json(text), about);
    }

    #[test]
    fn a_newer_text_is_read_and_a_damaged_one_says_nothing() {
        assert_eq!(About::from_json(r#"{"class":"a","more":1}"#).class, "a");
        for damaged in ["", "[]", r#"{"class":1}"#, r#"{"authenticated":99999999999999999}"#] {
            assert_eq!(About::from_json(damaged), About::default(), "{damaged}");
        }
    }
}
