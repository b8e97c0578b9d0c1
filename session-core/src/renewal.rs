use crate::{DEFAULT_MAX_SIZE, Delta, Login, RenewalNonce, Seal};

/// What a [`renew`](crate::SessionStore::renew) does besides giving the session a new id.
///
/// ```
/// use session_core::{Lifetime, Renewal};
///
/// let login = Renewal::login("alice", Lifetime::default());
/// let renewal = Renewal::of(login.user.clone());
/// assert!(login.login.is_some() && renewal.login.is_none());
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Renewal {
    /// The changes made in the same step.
    pub delta: Delta,
    /// The session's user from now on. Unless this is a login it must be the one the record has.
    pub user: Option<String>,
    /// Makes this a login: the session begins anew, with this lifetime, and nobody is led from the old id to it. If it
    /// was another user's, nothing of theirs goes over: it has the delta's data and no other, and no seal but this one.
    pub login: Option<Login>,
    /// Makes this a renewal by time, unless it is a login: the marker keeps the nonce for who holds the old token.
    pub nonce: Option<RenewalNonce>,
    /// The seal from now on. A session that has one is not renewed without, for no token would open it; unless its data
    /// is left behind.
    pub seal: Option<Seal>,
    /// The largest record allowed after it: the sum of the bytes of all keys and values. 256 KiB unless set.
    pub max_size: u64,
}

impl Renewal {
    /// A renewal of a session whose record has this `user`. Its lifetime goes on.
    #[must_use]
    pub fn of(user: Option<String>) -> Self {
        Self {
            delta: Delta::default(),
            user,
            login: None,
            nonce: None,
            seal: None,
            max_size: DEFAULT_MAX_SIZE,
        }
    }

    /// A login as `user`, with a [`Lifetime`](crate::Lifetime) or more.
    #[must_use]
    pub fn login(user: impl Into<String>, login: impl Into<Login>) -> Self {
        Self {
            login: Some(login.into()),
            ..Self::of(Some(user.into()))
        }
    }

    /// What the marker is to keep besides the new id.
    #[must_use]
    pub fn marker_nonce(&self) -> Option<&RenewalNonce> {
        self.nonce.as_ref().filter(|_| self.login.is_none())
    }

    /// Whether the session of `user` passes to somebody else, or to nobody.
    pub(crate) fn is_handover(&self, user: Option<&str>) -> bool {
        self.login.is_some() && user.is_some() && user != self.user.as_deref()
    }

    /// Makes changes to the data in the same step.
    #[must_use]
    pub fn with_delta(mut self, delta: Delta) -> Self {
        self.delta = delta;
        self
    }
}
