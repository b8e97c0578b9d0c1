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
///
/// let locked = Lifetime::AAL2.lock_when_idle();
/// assert_eq!(locked.lock, Some(Lifetime::AAL2.idle));
/// assert_eq!(locked.idle, locked.absolute);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lifetime {
    /// The session ends after this long without a request that opened it. Stores count in whole milliseconds.
    pub idle: Duration,
    /// The session ends this long after it began or its user logged in, whatever its use.
    pub absolute: Duration,
    /// The session is locked after this long without a request that opened it, if it is set: it keeps its data, and
    /// nobody gets at it before the user has logged in again. `idle` is then how long a locked one is kept.
    pub lock: Option<Duration>,
    /// The session gets a new token when its token is this old and a request opens it, if it is set. For
    /// [`Loaded::GRACE`](crate::Loaded::GRACE) the old one still finds the new one, so that no parallel request and no
    /// lost response logs anybody out.
    pub renewal: Option<Duration>,
}

impl Lifetime {
    /// 30 minutes and 12 hours: NIST SP 800-53 IA-11 as FedRAMP Moderate sets it. The default.
    pub const FEDRAMP_MODERATE: Self = Self::minutes_and_hours(30, 12);

    /// 15 minutes and 12 hours: NIST SP 800-53 IA-11 as FedRAMP High sets it.
    pub const FEDRAMP_HIGH: Self = Self::minutes_and_hours(15, 12);

    /// 1 hour and 24 hours: what NIST SP 800-63B-4 section 2.2.3 advises for authentication assurance level 2.
    pub const AAL2: Self = Self::minutes_and_hours(60, 24);

    /// 15 minutes and 12 hours: what NIST SP 800-63B-4 section 2.3.3 asks for at authentication assurance level 3.
    pub const AAL3: Self = Self::minutes_and_hours(15, 12);

    /// The timeout that never comes: until the year 9999. No other one may be longer than [`LONGEST`](Self::LONGEST).
    pub const UNLIMITED: Duration = Duration::MAX;

    /// The longest timeout, but for [`UNLIMITED`](Self::UNLIMITED): 400 days, the longest that browsers keep a cookie.
    pub const LONGEST: Duration = Duration::from_secs(400 * 24 * 60 * 60);

    /// The shortest time to a renewal: a minute, twice the [grace](crate::Loaded::GRACE), so that of a session's old
    /// tokens one at most still finds it.
    pub const SHORTEST_RENEWAL: Duration = Duration::from_secs(60);

    /// Timeouts of your own: without a request, and in all.
    ///
    /// ```
    /// # use session_core::Lifetime;
    /// # use std::time::Duration;
    /// let week = Duration::from_secs(7 * 24 * 60 * 60);
    /// let remembered = Lifetime::new(week, 4 * week);
    /// ```
    #[must_use]
    pub const fn new(idle: Duration, absolute: Duration) -> Self {
        Self {
            idle,
            absolute,
            lock: None,
            renewal: None,
        }
    }

    const fn minutes_and_hours(minutes: u64, hours: u64) -> Self {
        Self::new(Duration::from_secs(minutes * 60), Duration::from_secs(hours * 60 * 60))
    }

    /// Locks a session where it would have ended for want of use: it is kept until its absolute end, and opens to
    /// nobody but its user, who has to log in again.
    #[must_use]
    pub const fn lock_when_idle(self) -> Self {
        Self {
            idle: self.absolute,
            lock: Some(self.idle),
            ..self
        }
    }

    /// Locks a session after this long without a request that opened it, which must be less than the idle timeout.
    #[must_use]
    pub const fn lock_after(self, unused: Duration) -> Self {
        Self {
            lock: Some(unused),
            ..self
        }
    }

    /// Renews the session's token each time it is this old, which is a minute or more.
    ///
    /// ```
    /// # use session_core::Lifetime;
    /// # use std::time::Duration;
    /// let strict = Lifetime::FEDRAMP_HIGH.renew_every(Duration::from_secs(10 * 60));
    /// ```
    #[must_use]
    pub const fn renew_every(self, interval: Duration) -> Self {
        Self {
            renewal: Some(interval),
            ..self
        }
    }

    /// Whether the parts of it can work together; else what is wrong.
    #[cfg(feature = "axum")]
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.renewal.is_some_and(|renewal| renewal < Self::SHORTEST_RENEWAL) {
            return Err(
                "the time to a renewal must be at least a minute, for the token before has half a minute of grace"
                    .into(),
            );
        }
        let spans = [
            (Some(self.idle), "idle timeout"),
            (Some(self.absolute), "absolute timeout"),
            (self.lock, "time to the lock"),
            (self.renewal, "time to a renewal"),
        ];
        for (span, name) in spans {
            let Some(span) = span else { continue };
            if span < Duration::from_millis(1) {
                return Err(format!("the {name} must be at least a millisecond"));
            }
            if span > Self::LONGEST && span != Self::UNLIMITED {
                return Err(format!(
                    "the {name} is more than 400 days: if it is never to come, say Lifetime::UNLIMITED"
                ));
            }
        }
        if self.lock.is_some_and(|lock| lock >= self.idle.min(self.absolute)) {
            return Err("the time to the lock must be less than the timeouts, or sessions end before they lock".into());
        }
        Ok(())
    }
}

impl Default for Lifetime {
    /// [`FEDRAMP_MODERATE`](Self::FEDRAMP_MODERATE).
    fn default() -> Self {
        Self::FEDRAMP_MODERATE
    }
}
