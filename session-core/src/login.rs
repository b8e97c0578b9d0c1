use crate::{About, Lifetime, SessionLimit};

/// What makes a [`Renewal`](crate::Renewal) a login, besides its user.
///
/// ```
/// use session_core::{Lifetime, Login};
///
/// let login = Login::from(Lifetime::default());
/// assert_eq!(login.limit, None);
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Login {
    /// How long the session may live from now on.
    pub lifetime: Lifetime,
    /// What the login says of itself.
    pub about: About,
    /// How many sessions of this class its user may have, this one counted. Without a limit unless set.
    pub limit: Option<SessionLimit>,
}

impl From<Lifetime> for Login {
    fn from(lifetime: Lifetime) -> Self {
        Self {
            lifetime,
            ..Self::default()
        }
    }
}
