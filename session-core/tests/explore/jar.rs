use std::collections::BTreeMap;

use axum::http::{HeaderMap, header};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use session_core::{Loaded, MemoryStore, SessionId, SessionStore, SessionToken};

/// The cookies that hold tokens, in the order in which the layer tries them.
pub(crate) const PLACES: [&str; 3] = ["__Host-id", "__Host-id-renewed", "__Host-visitor"];

/// The cookies of a browser.
#[derive(Clone, Debug, Default)]
pub(crate) struct Jar(BTreeMap<String, Cookie>);

/// What a cookie holds, and what that is, if it is a token.
#[derive(Clone, Debug)]
struct Cookie {
    value: String,
    token: Option<(SessionId, SessionToken)>,
}

impl Cookie {
    fn new(value: String) -> Self {
        let token = token(&value).map(|token| (token.id(), token));
        Self { value, token }
    }
}

impl Jar {
    pub(crate) fn with(name: &str, token: &SessionToken) -> Self {
        let value = URL_SAFE_NO_PAD.encode(token.as_bytes());
        Self(BTreeMap::from([(name.to_owned(), Cookie::new(value))]))
    }

    /// Takes the cookies of a response.
    pub(crate) fn take(&mut self, headers: &HeaderMap) {
        for (name, value) in set_cookies(headers) {
            match value {
                Some(value) => self.0.insert(name, Cookie::new(value)),
                None => self.0.remove(&name),
            };
        }
    }

    /// What the browser sends.
    pub(crate) fn header(&self) -> String {
        let pairs: Vec<String> = self
            .0
            .iter()
            .map(|(name, cookie)| format!("{name}={}", cookie.value))
            .collect();
        pairs.join("; ")
    }

    /// The tokens, in the order in which the layer tries them.
    fn tokens(&self) -> impl Iterator<Item = &(SessionId, SessionToken)> {
        let cookies = PLACES.iter().filter_map(|name| self.0.get(*name));
        cookies.filter_map(|cookie| cookie.token.as_ref())
    }

    pub(crate) fn ids(&self) -> Vec<SessionId> {
        self.tokens().map(|(id, _)| *id).collect()
    }

    /// The session that these cookies open: the first live one, or one that it has become by time.
    pub(crate) async fn opens(&self, store: &MemoryStore) -> Option<SessionId> {
        for (id, token) in self.tokens() {
            let (mut id, mut token) = (*id, token.clone());
            loop {
                match store.load(&[id]).await.unwrap() {
                    Loaded::Live(id, _) => return Some(id),
                    Loaded::Renewed(marker) if marker.nonce.is_some() => {
                        token = token.successor(&marker.nonce.unwrap());
                        id = token.id();
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
