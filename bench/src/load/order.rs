use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::workload::Workload;

/// What the load is to do next.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Order {
    /// Log `sessions` browsers in, each with a record of `size` bytes, and keep them.
    Begin { size: usize, sessions: usize },
    /// Work for a while.
    Round(Job),
}

/// A round's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) workload: Workload,
    /// How many connections are used, each by one request at a time.
    pub(crate) connections: usize,
    /// The bytes of a session's record, roughly.
    pub(crate) size: usize,
    /// How long, unless the workload has an end of its own.
    pub(crate) duration: Duration,
}
