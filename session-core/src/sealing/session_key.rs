use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    rand,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    Flaw,
    derive::{KeyBytes, derive},
};
use crate::{SessionToken, Value};

/// What begins a sealed value. No JSON text begins so, and it has the version of the format.
const PREFIX: &[u8] = b"~1";
/// What begins a sealed value of whatever version.
const MARK: u8 = b'~';
const PURPOSE: &[u8] = b"session-core session key 1";
/// What begins the associated data of a value; the rest is the name of its key.
const VALUE: &[u8] = b"session-core value 1 ";

/// The key that seals the values of one session.
pub(crate) struct SessionKey {
    bytes: KeyBytes,
    // It takes each nonce from the library's own generator, as FIPS 140 asks for. At 96 random bits, 2^32 values may be
    // sealed with one key, and no session sees that many writes.
    cipher: RandomizedNonceKey,
}

impl SessionKey {
    pub(super) fn new(bytes: KeyBytes) -> Result<Self, Flaw> {
        let cipher = RandomizedNonceKey::new(&AES_256_GCM, bytes.as_slice())?;
        Ok(Self { bytes, cipher })
    }

    /// The key of a session that begins now.
    pub(crate) fn random() -> Result<Self, Flaw> {
        let mut bytes = KeyBytes::default();
        rand::fill(bytes.as_mut_slice())?;
        Self::new(bytes)
    }

    /// The key of a session that is sealed while it lives under this token: all who seal it at the same moment must
    /// find the same key.
    pub(crate) fn of_token(token: &SessionToken) -> Result<Self, Flaw> {
        Self::new(derive(token, &[PURPOSE])?)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.as_slice()
    }

    /// The value as a store may see it.
    pub(crate) fn seal(&self, name: &str, value: &Value) -> Result<Value, Flaw> {
        let mut sealed = value.as_bytes().to_vec();
        let nonce = self.cipher.seal_in_place_append_tag(associated(name), &mut sealed)?;
        sealed.splice(..0, *nonce.as_ref());
        let mut text = String::from("~1");
        URL_SAFE_NO_PAD.encode_string(&sealed, &mut text);
        Ok(Value::from_json(text))
    }

    /// The value that was sealed under this name.
    pub(crate) fn open(&self, name: &str, value: &Value) -> Result<Value, Flaw> {
        let text = value.as_bytes().strip_prefix(PREFIX).ok_or(Flaw::Value)?;
        let mut sealed = URL_SAFE_NO_PAD.decode(text).map_err(|_| Flaw::Value)?;
        let (nonce, sealed) = sealed.split_at_mut_checked(NONCE_LEN).ok_or(Flaw::Value)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce)?;
        let opened = self.cipher.open_in_place(nonce, associated(name), sealed);
        let opened = opened.map_err(|_| Flaw::Value)?;
        Ok(Value::from_json(opened.to_vec()))
    }
}

/// Shows nothing.
impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey(..)")
    }
}

/// Whether this is a sealed value, of whatever version, and no JSON text.
pub(crate) fn is_sealed(value: &Value) -> bool {
    value.as_bytes().first() == Some(&MARK)
}

fn associated(name: &str) -> Aad<Vec<u8>> {
    Aad::from([VALUE, name.as_bytes()].concat())
}
