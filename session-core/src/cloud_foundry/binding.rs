use std::fmt;

use serde_json::{Map, Value};

use super::ServiceKind;

/// A service bound to the app: its names, its label and what its broker or its maker wrote into the credentials.
#[derive(Clone)]
pub(super) struct Binding {
    label: String,
    /// The names it goes by, that which the platform shows first.
    names: Vec<String>,
    tags: Vec<String>,
    credentials: Map<String, Value>,
}

impl Binding {
    /// Reads an entry of `VCAP_SERVICES`; the key it stands under is its label if it names none itself.
    pub(super) fn new(key: &str, entry: Value) -> Option<Self> {
        let Value::Object(mut entry) = entry else {
            return None;
        };
        let text = |field: &str| Some(entry.get(field)?.as_str()?.to_owned()).filter(|text| !text.is_empty());
        let tags = entry.get("tags").and_then(Value::as_array).into_iter().flatten();
        Some(Self {
            label: text("label").unwrap_or_else(|| key.to_owned()),
            names: ["name", "binding_name", "instance_name"]
                .into_iter()
                .filter_map(text)
                .collect(),
            tags: tags.filter_map(|tag| Some(tag.as_str()?.to_owned())).collect(),
            credentials: match entry.remove("credentials") {
                Some(Value::Object(credentials)) => credentials,
                _ => Map::new(),
            },
        })
    }

    pub(super) fn label(&self) -> &str {
        &self.label
    }

    pub(super) fn is_called(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    /// Whether it is of this kind: its label says so, or its URI does; if it has none, a tag.
    pub(super) fn is(&self, kind: ServiceKind) -> bool {
        if kind.owns_label(&self.label) {
            return true;
        }
        let uris = self.uris();
        let mut schemes = uris.iter().filter_map(|uri| Some(uri.split_once("://")?.0)).peekable();
        if schemes.peek().is_some() {
            return schemes.any(|scheme| kind.has_scheme(scheme));
        }
        let mut words = self.tags.iter().chain([&self.label]);
        words.any(|word| kind.is_called(word))
    }

    /// What its credentials have as URI.
    pub(super) fn uris(&self) -> Vec<String> {
        let uris = ["uri", "url"].iter().filter_map(|key| self.credential(&[key]));
        uris.map(|uri| uri.trim().to_owned()).collect()
    }

    /// The credential under the first of these keys that has one: a text as it is, anything else as JSON.
    pub(super) fn credential(&self, keys: &[&str]) -> Option<String> {
        keys.iter().find_map(|key| match self.credentials.get(*key)? {
            Value::Null => None,
            Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
            other => Some(other.to_string()),
        })
    }
}

/// `"name" (label)`.
impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.names.first().map_or("", String::as_str);
        write!(f, "{name:?} ({})", self.label.escape_debug())
    }
}

/// The same: credentials are shown to nobody.
impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
