//! The near cache.

use session_core::conformance::ReadNear;

use crate::{connected, patient, server};

/// Enough for all sessions of a test.
const BYTES: u64 = 10 << 20;

/// What is done through a store its near cache knows at once.
mod conformance {
    use super::*;

    session_core::conformance_tests!(ReadNear::new(connected(patient(server()).near_cache(BYTES)).await).await);
}
