use crate::variant::Backend;

/// The bytes that a part of a store takes.
#[derive(Clone, Debug)]
pub(super) struct Size {
    pub(super) backend: Backend,
    pub(super) part: String,
    pub(super) bytes: u64,
    /// Those of so many sessions.
    pub(super) sessions: usize,
}

impl Size {
    pub(super) fn per_session(&self) -> f64 {
        self.bytes as f64 / self.sessions as f64
    }
}

/// How many times as many bytes there are; nothing of none.
pub(super) fn growth(before: u64, after: u64) -> Option<f64> {
    (before > 0).then(|| after as f64 / before as f64)
}
