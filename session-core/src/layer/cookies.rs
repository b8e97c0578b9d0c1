use std::{fmt, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, header};
use tokio::time::Instant;

use super::Cookie;
use crate::{NearCache, SessionId, SessionToken};

/// The most tokens of one request that are tried. Browsers send one or two; more are somebody's planting.
const MAX_CANDIDATES: usize = 4;

/// Which of the cookies holds a session's token. The first live one of them counts.
///
/// A renewal by time comes with any response, also with one that is late: so it has a cookie of its own, which takes
/// the place of no login's (promise P4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Login,
    Renewed,
    Visitor,
}

impl Place {
    const ALL: [Self; 3] = [Self::Login, Self::Renewed, Self::Visitor];
}

/// A request's Cookie headers, not looked at until its handler asks for the session.
pub(crate) struct RequestCookies {
    /// Nearly all requests have one at most.
    first: Option<HeaderValue>,
    more: Vec<HeaderValue>,
}

impl RequestCookies {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        Self::new(headers.get_all(header::COOKIE).iter().cloned())
    }

    fn new(mut values: impl Iterator<Item = HeaderValue>) -> Self {
        Self {
            first: values.next(),
            more: values.collect(),
        }
    }

    /// The well-formed tokens, each with its id, login cookies first; at most [`MAX_CANDIDATES`].
    pub(crate) fn candidates(&self, cookie: &Cookie) -> Vec<(SessionId, SessionToken)> {
        let place_of = |name| {
            Place::ALL
                .into_iter()
                .find(|place| cookie.name(*place).as_bytes() == name)
        };
        let values = self.pairs().filter_map(|(name, value)| Some((place_of(name)?, value)));
        let mut values: Vec<_> = values.collect();
        // Stable: those of one place stay in their order.
        values.sort_by_key(|(place, _)| *place as usize);
        let mut candidates: Vec<(SessionId, SessionToken)> = Vec::new();
        for token in values.into_iter().filter_map(|(_, value)| parse_token(value)) {
            let id = token.id();
            if candidates.len() < MAX_CANDIDATES && candidates.iter().all(|(other, _)| *other != id) {
                candidates.push((id, token));
            }
        }
        candidates
    }

    /// Whether the browser has just written to its session on another instance than the one whose near cache this is:
    /// it may not have heard of that yet (promise P5).
    pub(crate) fn bypass(&self, cache: &NearCache, cookie: &Cookie) -> bool {
        let mut suffixes = self.pairs().filter_map(|(name, _)| {
            name.strip_prefix(cookie.login.as_bytes())?
                .strip_prefix(NEAR.as_bytes())
        });
        suffixes.any(|suffix| suffix != near_suffix(cache).as_bytes())
    }

    /// Whether the request has a cookie of this name, well-formed or not.
    fn contain(&self, name: &str) -> bool {
        self.pairs().any(|(other, _)| other == name.as_bytes())
    }

    /// The cookies, names and values. Bytes, not text: one odd cookie of another application must not hide ours.
    fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let headers = self.first.iter().chain(&self.more);
        let pairs = headers.flat_map(|header| header.as_bytes().split(|byte| *byte == b';'));
        pairs.filter_map(|pair| {
            let pair = pair.trim_ascii();
            let end = pair.iter().position(|byte| *byte == b'=')?;
            Some((&pair[..end], &pair[end + 1..]))
        })
    }
}

/// Shows no token.
impl fmt::Debug for RequestCookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestCookies").finish_non_exhaustive()
    }
}

fn parse_token(text: &[u8]) -> Option<SessionToken> {
    let mut bytes = [0; SessionToken::LEN];
    let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
    (length == SessionToken::LEN).then(|| SessionToken::from_bytes(bytes))
}

/// Between the name of the login cookie and what tells one near cache from the others, in the name of the cookie by
/// which a browser says that it has just written on this instance.
///
/// Each instance has a name of its own, so it does not matter in which order the responses of several arrive; and none
/// has to bypass its own cache, which knows what the instance wrote.
const NEAR: &str = "-near-";

fn near_suffix(cache: &NearCache) -> String {
    format!("{:08x}", cache.tag())
}

/// What a response does to the cookies, in the order of [`Place::ALL`].
#[derive(Debug, Default)]
pub(crate) struct SetCookies([Option<Change>; Place::ALL.len()]);

#[derive(Debug)]
enum Change {
    Remove,
    /// Since when.
    Set(SessionToken, Instant),
}

impl SetCookies {
    pub(crate) fn set(&mut self, place: Place, token: SessionToken) {
        self.0[place as usize] = Some(Change::Set(token, Instant::now()));
    }

    /// Sets a cookie, and removes those that a login leaves nothing in.
    pub(crate) fn set_only(&mut self, place: Place, token: SessionToken) {
        if place == Place::Login {
            self.remove_all();
        }
        self.set(place, token);
    }

    /// Takes back a token from a renewal by time that was to be sent so long ago; whether there was one.
    pub(crate) fn take_late(&mut self, age: Duration) -> bool {
        let is_late = self.has_late(age);
        if is_late {
            self.0[Place::Renewed as usize] = None;
        }
        is_late
    }

    /// Whether there is a token from a renewal by time that was to be sent so long ago.
    pub(crate) fn has_late(&self, age: Duration) -> bool {
        let change = &self.0[Place::Renewed as usize];
        matches!(change, Some(Change::Set(_, since)) if since.elapsed() >= age)
    }

    /// Removes those of the cookies that the browser has.
    pub(crate) fn remove_all(&mut self) {
        self.0 = Place::ALL.map(|_| Some(Change::Remove));
    }

    /// Adds the Set-Cookie headers of the response to `request`. One with a token must be in no cache, whatever the
    /// handler thought of it.
    pub(crate) fn write(&self, cookie: &Cookie, request: &RequestCookies, headers: &mut HeaderMap) {
        if self.0.iter().flatten().any(|change| matches!(change, Change::Set(..))) {
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        for (place, change) in Place::ALL.into_iter().zip(&self.0) {
            let name = cookie.name(place);
            let header = match change {
                None => continue,
                Some(Change::Set(token, _)) => cookie.header(name, &encode_token(token), ""),
                Some(Change::Remove) if request.contain(name) => cookie.header(name, "", "; Max-Age=0"),
                Some(Change::Remove) => continue,
            };
            // The name and the attributes were checked when the layer was built.
            if let Ok(header) = HeaderValue::try_from(header) {
                headers.append(header::SET_COOKIE, header);
            }
        }
    }
}

impl Cookie {
    fn name(&self, place: Place) -> &str {
        match place {
            Place::Login => &self.login,
            Place::Renewed => &self.renewed,
            Place::Visitor => &self.visitor,
        }
    }

    /// Adds the header by which the browser's next requests bypass the near caches of other instances, until they
    /// cannot but have heard of what it wrote: for the longest [lease](NearCache::LEASES) and a second more, as a
    /// browser may count a little less.
    pub(crate) fn write_bypass(&self, cache: &NearCache, headers: &mut HeaderMap) {
        let name = format!("{}{NEAR}{}", self.login, near_suffix(cache));
        let header = self.header(&name, "1", "; Max-Age=2");
        if let Ok(header) = HeaderValue::try_from(header) {
            headers.append(header::SET_COOKIE, header);
        }
    }

    fn header(&self, name: &str, value: &str, max_age: &str) -> String {
        let domain = self
            .domain
            .as_ref()
            .map(|domain| format!("; Domain={domain}"))
            .unwrap_or_default();
        let secure = if self.secure { "; Secure" } else { "" };
        let http_only = if self.http_only { "; HttpOnly" } else { "" };
        let Self { path, same_site, .. } = self;
        format!("{name}={value}; Path={path}{domain}{secure}{http_only}; SameSite={same_site}{max_age}")
    }
}

/// A token as a cookie holds it.
pub(crate) fn encode_token(token: &SessionToken) -> String {
    URL_SAFE_NO_PAD.encode(token.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(cookies: &[&[u8]]) -> RequestCookies {
        let headers = cookies.iter().map(|cookie| HeaderValue::from_bytes(cookie).unwrap());
        RequestCookies::new(headers)
    }

    #[test]
    fn login_tokens_come_first_and_at_most_four_are_tried() {
        let tokens: Vec<_> = (0..6).map(|_| SessionToken::random().unwrap()).collect();
        let pair = |name: &str, i: usize| format!("{name}={}", encode_token(&tokens[i]));
        let visitors: Vec<_> = (0..4).map(|i| pair("__Host-visitor", i)).collect();
        let line = format!(
            "{}; {}; a=b; {}",
            visitors.join(";"),
            pair("__Host-id", 4),
            pair("__Host-id", 5)
        );
        let found = request(&[b"odd=\xff", line.as_bytes(), line.as_bytes()]).candidates(&Cookie::default());
        let found: Vec<_> = found.into_iter().map(|(id, token)| (id, *token.as_bytes())).collect();
        let expected = [4, 5, 0, 1];
        assert_eq!(found, expected.map(|i| (tokens[i].id(), *tokens[i].as_bytes())));
    }

    #[test]
    fn malformed_tokens_are_none() {
        let token = encode_token(&SessionToken::from_bytes([0xff; 32]));
        let bad = [
            String::new(),
            "x".into(),
            token[1..].into(),
            format!("{token}A"),
            format!("{token}="),
            format!("\"{token}\""),
            token.replace('_', "/"),
            "9".repeat(43), // its last digit has bits that belong to no byte
            "9".repeat(100_000),
        ];
        for text in bad {
            let line = format!("__Host-id={text}");
            let found = request(&[line.as_bytes()]).candidates(&Cookie::default());
            assert!(found.is_empty(), "{text:.50}");
        }
    }
}
