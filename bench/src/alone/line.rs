use super::operation::Operation;
use crate::{quartiles::Quartiles, variant::Backend};

/// What one operation takes, in microseconds.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) backend: Backend,
    pub(crate) operation: Operation,
    /// By the store.
    pub(crate) ours: Quartiles,
    /// By the driver alone, for the same command.
    pub(crate) driver: Quartiles,
    /// The first as a multiple of the second, turn by turn.
    pub(crate) ratio: Quartiles,
}
