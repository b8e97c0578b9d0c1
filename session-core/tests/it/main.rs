//! Tests of session-core through its public face.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![cfg_attr(
    not(all(feature = "tower-sessions", feature = "tower-sessions-014")),
    allow(dead_code, reason = "some helpers are for the tests of the two features together")
)]

#[cfg(feature = "axum")]
mod atomic;
#[cfg(feature = "axum")]
mod audit;
#[cfg(feature = "axum")]
mod browser;
#[cfg(feature = "cloud-foundry")]
mod cloud_foundry;
#[cfg(feature = "conformance")]
mod conformance;
#[cfg(feature = "axum")]
mod devices;
mod documents;
#[cfg(feature = "axum")]
mod ended;
#[cfg(feature = "axum")]
mod handover;
#[cfg(feature = "axum")]
mod late;
#[cfg(feature = "axum")]
mod layer;
#[cfg(feature = "axum")]
mod lifetime;
#[cfg(feature = "axum")]
mod login;
mod many;
#[cfg(feature = "axum")]
mod near;
#[cfg(feature = "axum")]
mod probe;
#[cfg(feature = "axum")]
mod renewal_by_time;
#[cfg(feature = "seal")]
mod seal;
#[cfg(feature = "seal")]
mod seal_race;
#[cfg(feature = "seal")]
mod seal_tampering;
#[cfg(feature = "axum")]
mod session;
#[cfg(all(feature = "tower-sessions", feature = "tower-sessions-014"))]
mod tower_sessions;
#[cfg(feature = "axum")]
mod trouble;
