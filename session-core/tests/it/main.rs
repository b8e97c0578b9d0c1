//! Tests of session-core through its public face.

mod browser;
mod layer;
mod probe;
mod session;
mod trouble;
