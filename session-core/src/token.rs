use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::{Error, RenewalNonce, SessionId};

/// The secret in the cookie: whoever holds it holds the session.
///
/// 32 bytes from the operating system's random source, of which the first two are the *shard tag*: a renewal keeps
/// them, so that the old and the new session id live in the same shard (in Redis Cluster, the same slot) and can
/// be exchanged in one atomic step. The other 30 bytes, 240 bits, are what an attacker would have to guess; OWASP
/// ASVS 7.2.3 asks for 128.
///
/// Only the browser and the layer ever see a token. Stores, logs and admin pages use its [`SessionId`].
///
/// ```
/// use session_core::SessionToken;
///
/// let token = SessionToken::random()?;
/// assert_eq!(format!("{token:?}"), "SessionToken(..)"); // nothing to leak into a log
/// assert_eq!(SessionToken::from_bytes(*token.as_bytes()).id(), token.id());
/// # Ok::<(), session_core::Error>(())
/// ```
#[derive(Clone)]
pub struct SessionToken([u8; Self::LEN]);

impl SessionToken {
    /// The length of a token in bytes.
    pub const LEN: usize = 32;

    /// A new token.
    ///
    /// # Errors
    ///
    /// [`Error::Random`] if the operating system gives no random bytes.
    pub fn random() -> Result<Self, Error> {
        let mut bytes = [0; Self::LEN];
        getrandom::fill(&mut bytes).map_err(|source| Error::Random {
            source: Box::new(source),
        })?;
        Ok(Self(bytes))
    }

    /// A new token in the shard of `id`, for the session that `id` is renewed to.
    ///
    /// # Errors
    ///
    /// [`Error::Random`] if the operating system gives no random bytes.
    pub fn random_successor(id: &SessionId) -> Result<Self, Error> {
        let mut token = Self::random()?;
        token.0[..2].copy_from_slice(&id.tag());
        Ok(token)
    }

    /// The token that comes after this one in a renewal by time: HMAC-SHA-256 of the nonce under this token, in the
    /// same shard. So all who hold this one make the same, and who holds neither this one nor the nonce makes none.
    #[must_use]
    pub fn successor(&self, nonce: &RenewalNonce) -> Self {
        // HMAC fills a key up with zeros to the length of a block.
        let mut key = [0; 64];
        key[..Self::LEN].copy_from_slice(&self.0);
        let mut mac = Hmac::<Sha256>::new(&key.into());
        mac.update(b"session renewal");
        mac.update(nonce.as_bytes());
        let mut token = Self(mac.finalize().into_bytes().into());
        token.0[..2].copy_from_slice(&self.0[..2]);
        token
    }

    /// The token with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The bytes of the token: a secret, fit for a cookie and nothing else.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// The name under which stores know this token's session: 14 bytes of its SHA-256, then the shard tag.
    #[must_use]
    pub fn id(&self) -> SessionId {
        let digest = Sha256::digest(self.0);
        let mut id = [0; SessionId::LEN];
        id[..14].copy_from_slice(&digest[..14]);
        id[14..].copy_from_slice(&self.0[..2]);
        SessionId::from_bytes(id)
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_token_is_pinned() {
        // SHA-256 of 32 bytes 00..1f is 630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd.
        let token = SessionToken::from_bytes(std::array::from_fn(|i| i as u8));
        assert_eq!(token.id().to_string(), "630dcd2966c4336691125448bbb20001");
    }

    #[test]
    fn debug_shows_nothing_of_a_token() {
        let token = SessionToken::random().unwrap();
        let nonce = RenewalNonce::random().unwrap();
        assert_eq!(format!("{token:?} {nonce:?}"), "SessionToken(..) RenewalNonce(..)");
    }

    #[test]
    fn the_successor_of_a_token_is_pinned() {
        // HMAC-SHA-256 with the key 00..1f of "session renewal" and 80..8f, its first two bytes those of the key.
        let token = SessionToken::from_bytes(std::array::from_fn(|i| i as u8));
        let nonce = RenewalNonce::from_bytes(std::array::from_fn(|i| 0x80 + i as u8));
        let successor = token.successor(&nonce);
        let text: String = successor.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(text, "000131f2783a73317db23198443cf4a09194e82ca0706527fa6b860e1326a4bf");
    }

    #[test]
    fn a_successor_keeps_the_tag_and_nothing_else() {
        let token = SessionToken::random().unwrap();
        let successor = SessionToken::random_successor(&token.id()).unwrap();
        assert_eq!(successor.id().tag(), token.id().tag());
        assert_ne!(successor.as_bytes()[2..], token.as_bytes()[2..]);
    }
}
