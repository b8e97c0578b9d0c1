//! What an auditor asks about, as `tracing` events with the target `session::audit`.
//!
//! Each has the fields `event`, `session` (the first eight digits of its id), `previous` (the same of the id that it
//! had before, if the event is that it changed), `user` and `instance`. None has a token, a whole id or a value.

use super::Handle;
use crate::SessionId;

/// What happened. Its name is the event's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Somebody logged in.
    Login,
    /// A login was refused because the user has as many sessions as are allowed.
    LoginRefused,
    /// The session was ended by its own request.
    Logout,
    /// The session got a new token.
    Renewal,
    /// A session was ended by another one of its user's.
    EndDevice,
    /// A user's other sessions, or all of them, were ended by one.
    EndAll,
    /// A token was shown that opens nothing: it was never given out, or its session has ended or expired.
    UnknownSession,
    /// A token was shown whose session had got another one by a renewal or a login, some time before.
    ReusedToken,
    /// A session was opened that is locked.
    Locked,
    /// A value cannot be read: it is damaged, was tampered with, or is of another type.
    Undecodable,
}

impl Event {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::LoginRefused => "login_refused",
            Self::Logout => "logout",
            Self::Renewal => "renewal",
            Self::EndDevice => "end_device",
            Self::EndAll => "end_all",
            Self::UnknownSession => "unknown_session",
            Self::ReusedToken => "reused_token",
            Self::Locked => "locked",
            Self::Undecodable => "undecodable",
        }
    }

    const fn is_suspicious(self) -> bool {
        matches!(self, Self::LoginRefused | Self::ReusedToken | Self::Undecodable)
    }
}

impl Handle {
    /// Tells the auditor. `user` is whose session it is, or would have been.
    pub(crate) fn audit(&self, event: Event, id: Option<&SessionId>, user: Option<&str>) {
        self.audit_change(event, None, id, user);
    }

    /// Tells the auditor of a session that has another id now.
    pub(crate) fn audit_change(
        &self,
        event: Event,
        previous: Option<&SessionId>,
        id: Option<&SessionId>,
        user: Option<&str>,
    ) {
        let name = event.name();
        let prefix = |id: &SessionId| id.to_string().chars().take(8).collect::<String>();
        let [session, previous] = [id, previous].map(|id| id.map_or_else(|| "-".to_owned(), prefix));
        let user = user.unwrap_or("-");
        let instance = self.config.instance.as_str();
        if event.is_suspicious() {
            tracing::warn!(target: "session::audit", event = name, session, previous, user, instance);
        } else {
            tracing::info!(target: "session::audit", event = name, session, previous, user, instance);
        }
    }
}
