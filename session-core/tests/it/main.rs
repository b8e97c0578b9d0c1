//! The tests of session-core from outside.

#[cfg(feature = "conformance")]
mod conformance;
