use super::{compared::Compared, purge::Purge, size::Size, touches::Touches};

/// All that was measured.
#[derive(Debug, Default)]
pub(super) struct Results {
    /// What an operation takes, in microseconds.
    pub(super) latencies: Vec<Compared>,
    /// How many there are a second, 64 at once.
    pub(super) rates: Vec<Compared>,
    pub(super) sizes: Vec<Size>,
    pub(super) purges: Vec<Purge>,
    pub(super) touches: Option<Touches>,
}
