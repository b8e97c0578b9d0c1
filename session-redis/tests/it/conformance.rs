//! The suites of every store, by turns on two instances that share one server.

use session_core::conformance::ByTurns;

session_core::conformance_tests!(ByTurns::new([crate::store().await, crate::store().await]));

session_core::once_tests!((crate::store().await, crate::store().await));
