//! Tests of session-core through its public face.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod browser;
mod layer;
mod probe;
mod session;
mod trouble;
