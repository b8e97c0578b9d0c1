//! The head of a record, or of a marker: one field that holds all that has a fixed length, and the user.
//! `scripts/record.lua` says what is where.

use std::time::Duration;

use session_core::Lifetime;
use time::OffsetDateTime;

use crate::record::{Damage, millis};

/// What the head of a record begins with.
pub(crate) const RECORD: u8 = 1;

/// What the head of a marker begins with.
pub(crate) const MARKER: u8 = 2;

/// Reads a head from its front to its end.
pub(crate) struct Head<'a>(pub(crate) &'a [u8]);

impl<'a> Head<'a> {
    pub(crate) fn byte(&mut self, what: &'static str) -> Result<u8, Damage> {
        let (byte, rest) = self.0.split_first().ok_or(Damage { what })?;
        self.0 = rest;
        Ok(*byte)
    }

    pub(crate) fn bytes<const N: usize>(&mut self, what: &'static str) -> Result<&'a [u8; N], Damage> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or(Damage { what })?;
        self.0 = rest;
        Ok(bytes)
    }

    pub(crate) fn number(&mut self, what: &'static str) -> Result<u64, Damage> {
        let [a, b, c, d, e, f] = *self.bytes(what)?;
        Ok(u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
    }

    pub(crate) fn time(&mut self, what: &'static str) -> Result<OffsetDateTime, Damage> {
        let ms = self.number(what)?;
        let seconds = i64::try_from(ms / 1000).ok();
        let time = seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
        let time = time.and_then(|time| time.replace_millisecond((ms % 1000) as u16).ok());
        time.ok_or(Damage { what })
    }

    pub(crate) fn span(&mut self, what: &'static str) -> Result<Duration, Damage> {
        self.number(what).map(Duration::from_millis)
    }

    /// The user, up to the end.
    pub(crate) fn owner(&mut self) -> Result<Option<String>, Damage> {
        let what = "user";
        match self.byte(what)? {
            0 => Ok(None),
            1 => match str::from_utf8(self.0) {
                Ok(user) => Ok(Some(user.to_owned())),
                Err(_) => Err(Damage { what }),
            },
            _ => Err(Damage { what }),
        }
    }
}

/// The terms of a session that begins with this lifetime: its lock and its renewal.
pub(crate) fn terms(lifetime: &Lifetime) -> [u8; 12] {
    let mut terms = [0; 12];
    for (part, span) in terms.chunks_exact_mut(6).zip([lifetime.lock, lifetime.renewal]) {
        // Zero would be never.
        let ms = span.map_or(0, |span| millis(span).max(1));
        part.copy_from_slice(&ms.to_be_bytes()[2..]);
    }
    terms
}

/// The owner of a session that is this user's, or a visitor's.
pub(crate) fn owner(user: Option<&str>) -> Vec<u8> {
    match user {
        Some(user) => [&[1], user.as_bytes()].concat(),
        None => vec![0],
    }
}
