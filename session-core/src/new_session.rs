use crate::{About, DEFAULT_MAX_SIZE, Delta, Lifetime, Seal, SessionLimit};

/// A session to [`create`](crate::SessionStore::create).
///
/// ```
/// use session_core::{Lifetime, NewSession};
///
/// let new = NewSession::new(Lifetime::default()).with_user("alice");
/// assert_eq!(new.user.as_deref(), Some("alice"));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewSession {
    /// The first data: the keys that are set. Removals mean nothing here.
    pub delta: Delta,
    /// Who logs in with it, if anybody does.
    pub user: Option<String>,
    /// How long it may live.
    pub lifetime: Lifetime,
    /// What the login says of itself.
    pub about: About,
    /// How many sessions of this class the user may have, this one counted. Without a limit unless set.
    pub limit: Option<SessionLimit>,
    /// What its values are sealed with, if they are.
    pub seal: Option<Seal>,
    /// The largest record allowed: the sum of the bytes of all keys and values. 256 KiB unless set.
    pub max_size: u64,
}

impl NewSession {
    /// A session without data and user.
    #[must_use]
    pub fn new(lifetime: Lifetime) -> Self {
        Self {
            delta: Delta::default(),
            user: None,
            lifetime,
            about: About::default(),
            limit: None,
            seal: None,
            max_size: DEFAULT_MAX_SIZE,
        }
    }

    /// Gives it first data.
    #[must_use]
    pub fn with_delta(mut self, delta: Delta) -> Self {
        self.delta = delta;
        self
    }

    /// Gives it a user.
    #[must_use]
    pub fn with_user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self
    }
}
