use std::time::Duration;

use super::{operation::Operation, scene::Scene};
use crate::Failure;

/// A driver that sends what a store sends, and reads the answer without a look at what it means.
pub(super) trait Driver: Send {
    /// Does an operation, and says how long that took, from the complete command to the complete answer.
    fn perform(
        &mut self,
        operation: Operation,
        scene: &Scene,
    ) -> impl Future<Output = Result<Duration, Failure>> + Send;
}
