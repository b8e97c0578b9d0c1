//! How a session's values are sealed, so that a store keeps nothing it could read (promise P7).
//!
//! ```text
//! token ── HKDF-SHA256 ──▶ wrapping key ── AES-256-KW ──▶ seal: version, birth, wrapped session key; 42 bytes a session
//!                          session key ─── AES-256-GCM ─▶ value: "~1" and base64url of nonce, ciphertext, tag
//! ```
//!
//! The session key is the constant of a session: it stays the same while renewals and logins of its user change the
//! token, and so the seal alone is written anew. A value is bound to the session by its key and to its name by the
//! associated data, so values cannot be swapped.
//!
//! Key wrapping (NIST SP 800-38F) needs no nonce and is deterministic. So two requests that seal a session at the same
//! moment make the same seal, and none of it rests on a nonce being used once.

mod birth;
mod derive;
mod flaw;
mod policy;
mod session_key;
#[cfg(test)]
mod tests;
mod wrap;

pub(crate) use birth::Birth;
pub(crate) use flaw::Flaw;
pub(crate) use policy::Policy;
pub(crate) use session_key::{SessionKey, is_sealed};
pub(crate) use wrap::{unwrap, wrap};
