use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::Error;

/// The name of a session in stores, logs, lists and admin pages; not a secret.
///
/// 16 bytes: 14 of the token's SHA-256 and the two of its shard tag, so a leaked id, or a leaked store, opens
/// nothing. It is the same in every store, and written as 32 hexadecimal digits.
///
/// ```
/// use session_core::SessionId;
///
/// let id: SessionId = "630dcd2966c4336691125448bbb20001".parse()?;
/// assert_eq!(id.tag(), [0x00, 0x01]);
/// assert_eq!(id.to_string(), "630dcd2966c4336691125448bbb20001");
/// # Ok::<(), session_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId([u8; Self::LEN]);

impl SessionId {
    /// The length of an id in bytes.
    pub const LEN: usize = 16;

    /// The id with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The bytes of the id.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// The shard tag: two random bytes that a renewal keeps, by which a store may spread its sessions.
    #[must_use]
    pub const fn tag(&self) -> [u8; 2] {
        [self.0[14], self.0[15]]
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({self})")
    }
}

/// As text, so that a handler may take an id from a path and give it in JSON.
impl Serialize for SessionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SessionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl FromStr for SessionId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let digits = text.len() == 2 * Self::LEN && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u128::from_str_radix(text, 16).ok().filter(|_| digits);
        number.map(|number| Self(number.to_be_bytes())).ok_or(Error::InvalidId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_32_hexadecimal_digits_are_an_id() {
        for text in [
            "",
            "12",
            "+30dcd2966c4336691125448bbb20001",
            "x30dcd2966c4336691125448bbb20001",
        ] {
            assert!(matches!(text.parse::<SessionId>(), Err(Error::InvalidId)), "{text}");
        }
    }

    #[test]
    fn an_id_is_written_and_read_as_its_digits() {
        let id = SessionId::from_bytes(std::array::from_fn(|i| i as u8));
        assert_eq!(id.tag(), [0x0e, 0x0f]);
        assert_eq!(id.to_string(), "000102030405060708090a0b0c0d0e0f");
        assert_eq!(format!("{id:?}"), "SessionId(000102030405060708090a0b0c0d0e0f)");
        assert_eq!("000102030405060708090A0B0C0D0E0F".parse::<SessionId>().unwrap(), id);
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, "\"000102030405060708090a0b0c0d0e0f\"");
        assert_eq!(serde_json::from_str::<SessionId>(&json).unwrap(), id);
        assert!(serde_json::from_str::<SessionId>("\"12\"").is_err());
    }
}
