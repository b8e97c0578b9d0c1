use std::time::Duration;

/// How long a session may live: without a request, and in all (promise P9).
///
/// A session's record keeps the lifetime it began with, so a route with other settings cannot lengthen it.
///
/// ```
/// use session_core::Lifetime;
/// use std::time::Duration;
///
/// let default = Lifetime::default();
/// assert_eq!(default.idle, Duration::from_secs(30 * 60));
/// assert_eq!(default.absolute, Duration::from_secs(12 * 60 * 60));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// The session ends after this long without a request that opened it. Stores count in whole milliseconds.
    pub idle: Duration,
    /// The session ends this long after it began or its user logged in, whatever its use.
    pub absolute: Duration,
}

impl Default for Lifetime {
    /// 30 minutes and 12 hours, what FedRAMP Moderate asks for (NIST SP 800-53 IA-11).
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(30 * 60),
            absolute: Duration::from_secs(12 * 60 * 60),
        }
    }
}
