use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use zeroize::Zeroizing;

use super::Flaw;
use crate::SessionToken;

/// The bytes of a key. They leave no copy behind.
pub(super) type KeyBytes = Zeroizing<[u8; KEY_LEN]>;

pub(super) const KEY_LEN: usize = 32;

struct Len;

impl KeyType for Len {
    fn len(&self) -> usize {
        KEY_LEN
    }
}

/// The key for the purpose `info` that follows from a token. The token is random, so it needs no salt.
pub(super) fn derive(token: &SessionToken, info: &[&[u8]]) -> Result<KeyBytes, Flaw> {
    let mut key = KeyBytes::default();
    let extracted = Salt::none(HKDF_SHA256).extract(token.as_bytes());
    extracted.expand(info, Len)?.fill(key.as_mut_slice())?;
    Ok(key)
}
