//! Tests of session-core through its public face.

#![allow(clippy::unwrap_used, reason = "a panic in a test's helper is the test's failure message")]

#[cfg(all(feature = "tower-sessions", feature = "tower-sessions-014"))]
mod tower_sessions;
