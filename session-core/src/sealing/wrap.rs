use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrap};

use super::{
    Birth, Flaw, SessionKey,
    derive::{KEY_LEN, KeyBytes, derive},
};
use crate::{Seal, SessionToken};

const VERSION: u8 = 1;
const PURPOSE: &[u8] = b"session-core seal";
const HEADER_LEN: usize = 2;
/// AES-KW adds eight bytes, by which it knows what it made.
const WRAPPED_LEN: usize = KEY_LEN + 8;

/// The seal that `token` alone opens.
pub(crate) fn wrap(key: &SessionKey, birth: Birth, token: &SessionToken) -> Result<Seal, Flaw> {
    let mut seal = [0; HEADER_LEN + WRAPPED_LEN];
    let (header, wrapped) = seal.split_at_mut(HEADER_LEN);
    header.copy_from_slice(&[VERSION, birth.to_byte()]);
    wrapping_key(token, header)?.wrap(key.as_bytes(), wrapped)?;
    Ok(Seal::from_bytes(seal.to_vec()))
}

/// The key in a seal of this token, and what the seal says of the session's birth.
pub(crate) fn unwrap(seal: &Seal, token: &SessionToken) -> Result<(SessionKey, Birth), Flaw> {
    let (header, wrapped) = seal.as_bytes().split_at_checked(HEADER_LEN).ok_or(Flaw::Seal)?;
    let birth = match *header {
        [VERSION, birth] => Birth::of_byte(birth).ok_or(Flaw::Seal)?,
        _ => return Err(Flaw::Seal),
    };
    if wrapped.len() != WRAPPED_LEN {
        return Err(Flaw::Seal);
    }
    let mut key = KeyBytes::default();
    let unwrapped = wrapping_key(token, header)?.unwrap(wrapped, key.as_mut_slice());
    unwrapped.map_err(|_| Flaw::Seal)?;
    Ok((SessionKey::new(key)?, birth))
}

/// Each header has a key of its own, so a header that was changed opens nothing.
fn wrapping_key(token: &SessionToken, header: &[u8]) -> Result<AesKek, Flaw> {
    let key = derive(token, &[PURPOSE, header])?;
    Ok(AesKek::new(&AES_256, key.as_slice())?)
}
