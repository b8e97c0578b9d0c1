use std::fmt;

use crate::Error;

/// What, beside the old token, makes the next one in a renewal by time.
///
/// The store keeps it in the marker. So whoever shows the old token within [`Loaded::GRACE`](crate::Loaded::GRACE) is
/// found the same [successor](crate::SessionToken::successor), and neither the store nor the old token alone makes it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RenewalNonce([u8; Self::LEN]);

impl RenewalNonce {
    /// The length of a nonce in bytes.
    pub const LEN: usize = 16;

    /// A new nonce.
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

    /// The nonce with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The bytes of the nonce.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

/// Shows nothing: half of what a token is made of is nobody's business.
impl fmt::Debug for RenewalNonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RenewalNonce(..)")
    }
}
