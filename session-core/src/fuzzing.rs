//! What the targets in `fuzz/` reach into, and tests; there only with the cfg that cargo-fuzz sets.

use std::collections::HashSet;

use http::{HeaderMap, HeaderValue, header};

use crate::{
    Seal, SessionToken, Value,
    layer::{Cookie, RequestCookies, encode_token},
    sealing::{Birth, SessionKey, unwrap, wrap},
};

/// Takes no token out of `Cookie` headers, the lines of `text`, but those that are there, and finds one that is there
/// alone whatever else there is.
///
/// # Panics
///
/// If it does not.
#[allow(clippy::unwrap_used, reason = "a panic is what a fuzz target looks for")]
pub fn cookies(text: &[u8], token: [u8; SessionToken::LEN]) {
    let names = Cookie::default();
    let lines = text.split(|byte| *byte == b'\n');
    let mut headers = HeaderMap::new();
    for line in lines.filter_map(|line| HeaderValue::from_bytes(line).ok()) {
        headers.append(header::COOKIE, line);
    }
    let found = RequestCookies::of(&headers).candidates(&names);
    assert!(found.len() <= 4);
    let ids: HashSet<_> = found.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids.len(), found.len());
    for (id, token) in &found {
        assert_eq!(*id, token.id());
        let is_there = |name: &str| {
            let pair = format!("{name}={}", encode_token(token));
            text.windows(pair.len()).any(|part| part == pair.as_bytes())
        };
        assert!(is_there(&names.login) || is_there(&names.visitor));
    }

    let token = SessionToken::from_bytes(token);
    let pair = format!("{}={}", names.login, encode_token(&token));
    headers.append(header::COOKIE, HeaderValue::try_from(pair).unwrap());
    let with_it = RequestCookies::of(&headers).candidates(&names);
    assert!(with_it.len() == 4 || with_it.iter().any(|(id, _)| *id == token.id()));
}

/// Lets nothing be opened that was not sealed, whatever the seal and the value of a stored record are.
///
/// # Panics
///
/// If something is.
#[allow(clippy::unwrap_used, reason = "a panic is what a fuzz target looks for")]
pub fn unseal(token: [u8; SessionToken::LEN], name: &str, seal: &[u8], value: &[u8]) {
    let token = SessionToken::from_bytes(token);
    let key = SessionKey::of_token(&token).unwrap();
    assert!(unwrap(&Seal::from_bytes(seal.to_vec()), &token).is_err());
    assert!(key.open(name, &Value::from_json(value.to_vec())).is_err());

    let plain = Value::from_json(value.to_vec());
    let sealed = key.seal(name, &plain).unwrap();
    assert_eq!(key.open(name, &sealed), Ok(plain));
    let changed = changed(sealed.as_bytes(), value);
    if changed != sealed.as_bytes() {
        assert!(key.open(name, &Value::from_json(changed)).is_err());
    }

    let whole = wrap(&key, Birth::Sealed, &token).unwrap();
    assert!(unwrap(&whole, &token).is_ok());
    let changed = self::changed(whole.as_bytes(), seal);
    if changed != whole.as_bytes() {
        assert!(unwrap(&Seal::from_bytes(changed), &token).is_err());
    }
}

/// These bytes, with the bits flipped that `flips` has set.
fn changed(bytes: &[u8], flips: &[u8]) -> Vec<u8> {
    let flips = flips.iter().chain(std::iter::repeat(&0));
    bytes.iter().zip(flips).map(|(byte, flip)| byte ^ flip).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn only_tokens_that_a_request_has_are_tried(
            parts in prop::collection::vec(
                prop_oneof![
                    Just(b"__Host-id=".to_vec()),
                    Just(b"; __Host-visitor=".to_vec()),
                    any::<[u8; 32]>().prop_map(|bytes| encode_token(&SessionToken::from_bytes(bytes)).into_bytes()),
                    "[ ;=\"\n\tA-Za-z0-9_-]{0,50}".prop_map(String::into_bytes),
                    prop::collection::vec(any::<u8>(), 0..50),
                ],
                0..12,
            ),
            token: [u8; 32],
        ) {
            cookies(&parts.concat(), token);
        }
    }
}
