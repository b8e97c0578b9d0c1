//! Tests of session-core through its public face.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod browser;
#[cfg(feature = "conformance")]
mod conformance;
mod layer;
mod probe;
mod session;
mod trouble;
