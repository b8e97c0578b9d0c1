//! The head of a record, or of a marker: one field that holds all that has a fixed length.
//! `scripts/record.lua` says what is where.

use std::time::Duration;

use session_core::Lifetime;
use time::OffsetDateTime;

use super::record::{Damage, millis};

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
}

/// The front of the head of a session that begins with data of this size: up to what depends on the time.
pub(crate) fn front(size: u64) -> [u8; 13] {
    let mut front = [0; 13];
    front[0] = RECORD;
    front[6] = 1;
    front[7..].copy_from_slice(&size.to_be_bytes()[2..]);
    front
}

/// The terms of a session that begins with this lifetime, the end of its head: its idle timeout, its lock and its
/// renewal.
pub(crate) fn terms(lifetime: &Lifetime) -> [u8; 18] {
    // Zero would be never.
    let [lock, renewal] = [lifetime.lock, lifetime.renewal].map(|span| span.map_or(0, |span| millis(span).max(1)));
    let mut terms = [0; 18];
    for (part, ms) in terms.chunks_exact_mut(6).zip([millis(lifetime.idle), lock, renewal]) {
        part.copy_from_slice(&ms.to_be_bytes()[2..]);
    }
    terms
}
