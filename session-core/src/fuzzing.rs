//! What the targets in `fuzz/` reach into; there only with the cfg that cargo-fuzz sets.

use crate::{
    Seal, SessionToken, Value,
    sealing::{Birth, SessionKey, unwrap, wrap},
};

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
