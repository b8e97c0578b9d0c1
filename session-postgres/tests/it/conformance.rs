//! The suite of every store.

session_core::conformance_tests!(crate::store().await);
