use std::time::Duration;

use super::Session;
use crate::Error;

/// How long the session lives, and what it asks of who uses it (promise P9).
impl Session {
    /// How long it is until the session ends, or is locked, if no further request opens it: what a page warns by.
    /// `None` for a visitor without a session.
    ///
    /// It counts this request as activity, by the store's clock when the session was loaded. Once the response's head
    /// is sent, a [reload](Self::reload) is none, so that a stream can tell how long the session still has.
    #[must_use]
    pub fn expires_in(&self) -> Option<Duration> {
        let state = self.handle.state();
        let current = state.current.as_ref().filter(|current| !current.locked)?;
        Some(current.life.left())
    }

    /// Keeps this request from counting as activity, for what a page asks by itself as long as it is open: polling, a
    /// stream of events. Otherwise a forgotten tab would keep its session alive.
    ///
    /// A login, a renewal and a new session count all the same.
    ///
    /// ```
    /// # use session_core::Session;
    /// async fn seconds_left(session: Session) -> String {
    ///     session.leave_untouched();
    ///     session.expires_in().unwrap_or_default().as_secs().to_string()
    /// }
    /// ```
    pub fn leave_untouched(&self) {
        self.handle.state().leave_untouched();
    }

    /// Asks that somebody is logged in, and says who: for what is not for visitors. A login of this request counts.
    ///
    /// ```
    /// # use session_core::{Error, Session};
    /// async fn account(session: Session) -> Result<String, Error> {
    ///     let user = session.require_user()?;
    ///     Ok(format!("the account of {user}"))
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::NotLoggedIn`]; [`Error::Locked`]. As responses both are 401.
    pub fn require_user(&self) -> Result<String, Error> {
        let state = self.unlocked()?;
        state.user().map(String::from).ok_or(Error::NotLoggedIn)
    }

    /// Asks for a login within the last `limit`, for what is dangerous: a new password, a payment.
    ///
    /// What counts is when the user showed who they are, see
    /// [`LoginOptions::authenticated`](crate::LoginOptions::authenticated). A login of this request counts when it has
    /// been [saved](Self::save).
    ///
    /// ```
    /// # use session_core::{Error, Session};
    /// # use std::time::Duration;
    /// async fn change_password(session: Session) -> Result<(), Error> {
    ///     session.require_recent_login(Duration::from_secs(5 * 60))?;
    ///     // ...
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::LoginTooOld`], also if nobody is logged in; [`Error::Locked`]. As responses both are 401.
    pub fn require_recent_login(&self, limit: Duration) -> Result<(), Error> {
        let state = self.handle.state();
        if state.is_locked() {
            return Err(Error::Locked);
        }
        let current = state.current.as_ref().filter(|current| current.user.is_some());
        match current.map(|current| current.life.login_age()) {
            Some(age) if age <= limit => Ok(()),
            _ => Err(Error::LoginTooOld),
        }
    }

    /// Who has to log in again for the session to open, if it is [locked](crate::Lifetime::lock_when_idle).
    ///
    /// A locked session is there and shows nothing: nobody is logged in, it has no keys, and to read, write or renew it
    /// answers [`Error::Locked`]. Its user's [`login`](Self::login) opens it, with all its data; somebody else's
    /// begins anew. [`logout`](Self::logout) ends it.
    #[must_use]
    pub fn locked_user(&self) -> Option<String> {
        let state = self.handle.state();
        let current = state.current.as_ref().filter(|_| state.is_locked())?;
        current.user.clone()
    }
}
