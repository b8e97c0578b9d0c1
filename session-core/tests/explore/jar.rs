use std::collections::BTreeMap;

use axum::http::{HeaderMap, header};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use session_core::{Loaded, MemoryStore, SessionId, SessionStore, SessionToken};

/// The cookies that hold tokens, in the order in which the layer tries them.
pub(crate) const PLACES: [&str; 3] = ["__Host-id", "__Host-id-renewed", "__Host-visitor"];

/// The cookies of a browser.
#[derive(Clone, Debug, Default)]
pub(crate) struct Jar(BTreeMap<String, String>);

impl Jar {
    pub(crate) fn with(name: &str, token: &SessionToken) -> Self {
        let value = URL_SAFE_NO_PAD.encode(token.as_bytes());
        Self(BTreeMap::from([(name.to_owned(), value)]))
    }

    /// Takes the cookies of a response.
    pub(crate) fn take(&mut self, headers: &HeaderMap) {
        for (name, value) in set_cookies(headers) {
            match value {
                Some(value) => self.0.insert(name, value),
                None => self.0.remove(&name),
            };
        }
    }

    /// What the browser sends.
    pub(crate) fn header(&self) -> String {
        let pairs: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    /// The tokens, in the order in which the layer tries them.
    pub(crate) fn tokens(&self) -> Vec<SessionToken> {
        let values = PLACES.iter().filter_map(|name| self.0.get(*name));
        values.filter_map(|value| token(value)).collect()
    }

    pub(crate) fn ids(&self) -> Vec<SessionId> {
        self.tokens().iter().map(SessionToken::id).collect()
    }

    /// The session that these cookies open: the first live one, or one that it has become by time.
    pub(crate) async fn opens(&self, store: &MemoryStore) -> Option<SessionId> {
        for token in self.tokens() {
            let mut token = token;
            loop {
                match store.load(&[token.id()]).await.unwrap() {
                    Loaded::Live(id, _) => return Some(id),
                    Loaded::Renewed(marker) if marker.nonce.is_some() => {
                        token = token.successor(&marker.nonce.unwrap());
                    }
                    _ => break,
                }
            }
        }
        None
    }
}

/// The cookies that a response sets, or removes.
pub(crate) fn set_cookies(headers: &HeaderMap) -> Vec<(String, Option<String>)> {
    let cookies = headers.get_all(header::SET_COOKIE).iter();
    let read = |cookie: &axum::http::HeaderValue| {
        let text = cookie.to_str().unwrap();
        let (pair, attributes) = text.split_once(';').unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        let is_set = !attributes.contains("Max-Age=0");
        (name.to_owned(), is_set.then(|| value.to_owned()))
    };
    cookies.map(read).collect()
}

/// The token that is the value of a cookie.
pub(crate) fn token(value: &str) -> Option<SessionToken> {
    let bytes = URL_SAFE_NO_PAD.decode(value).ok()?;
    Some(SessionToken::from_bytes(bytes.try_into().ok()?))
}
