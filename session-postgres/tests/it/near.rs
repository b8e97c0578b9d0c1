//! The near cache.

use std::time::Duration;

use session_core::conformance::ReadNear;
use session_postgres::{PostgresOptions, PostgresStore};

use crate::{patient, server};

/// Enough for all sessions of a test.
const BYTES: u64 = 10 << 20;

/// A store whose near cache may be used soon.
async fn near() -> ReadNear<PostgresStore> {
    crate::store().await;
    let options: PostgresOptions = patient(server()).near_cache(BYTES);
    let options = options.command_timeout(Duration::from_secs(5));
    ReadNear::new(PostgresStore::connect(options).await.unwrap()).await
}

/// What is done through a store its near cache knows at once.
mod conformance {
    session_core::conformance_tests!(super::near().await);
}
