use session_core::{Error, Session, SessionId};

use crate::history::Seen;

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    /// Reads, and leaves no trace of that.
    Look,
    Read,
    /// Sets a key of its own.
    Write,
    /// Sets the key that others set too.
    Set,
    /// Counts one up.
    Update,
    /// Logs alice in and sets a key of its own.
    Login,
    /// Logs bob in and sets a key of its own.
    Handover,
    Renew,
    Logout,
    /// Reads, and is due to count as activity.
    Touch,
    /// Another device of alice's ends her other sessions.
    EndOthers,
    /// Another device of alice's ends the browser's session.
    EndDevice,
    /// The app ends the browser's session.
    Revoke,
    /// The app tries to create the browser's session once more.
    Recreate,
    /// The store's clock passes the end of all sessions.
    Expire,
}

impl Action {
    /// All that a browser's own requests do.
    pub(crate) const OWN: [Self; 9] = [
        Self::Read,
        Self::Write,
        Self::Set,
        Self::Update,
        Self::Login,
        Self::Handover,
        Self::Renew,
        Self::Logout,
        Self::Touch,
    ];

    /// All that happens to a session besides.
    pub(crate) const OTHERS: [Self; 4] = [Self::EndOthers, Self::EndDevice, Self::Revoke, Self::Expire];

    /// Whether it is a request of the browser.
    pub(crate) fn is_own(self) -> bool {
        Self::OWN.contains(&self)
    }

    /// Whether it is a request of alice's other device.
    pub(crate) const fn is_other_devices(self) -> bool {
        matches!(self, Self::EndOthers | Self::EndDevice)
    }

    /// Whether it writes to the session, and says so by success.
    pub(crate) const fn writes(self) -> bool {
        matches!(
            self,
            Self::Write | Self::Set | Self::Update | Self::Login | Self::Handover
        )
    }

    /// Whether its response may touch the login cookie (promise P4).
    pub(crate) const fn may_touch_login(self) -> bool {
        matches!(self, Self::Login | Self::Handover | Self::Renew | Self::Logout)
    }

    /// Whether it may make the write of another request fail.
    pub(crate) const fn is_in_the_way(self) -> bool {
        !matches!(
            self,
            Self::Read | Self::Write | Self::Set | Self::Update | Self::Touch | Self::Recreate
        )
    }

    /// The key that a request with this number sets.
    pub(crate) fn key(self, number: usize) -> Option<String> {
        match self {
            Self::Write | Self::Login | Self::Handover => Some(format!("w{number}")),
            Self::Set => Some("same".into()),
            Self::Update => Some("n".into()),
            _ => None,
        }
    }

    /// What the handler does, in a request with this number; `device` is the browser's session at the start.
    pub(crate) async fn handle(self, session: &Session, number: usize, device: Option<SessionId>) -> Result<(), Error> {
        match self {
            Self::Look => {
                session.leave_untouched();
                Ok(())
            }
            Self::Read | Self::Touch | Self::Revoke | Self::Recreate | Self::Expire => Ok(()),
            Self::Write => session.insert(&format!("w{number}"), &number),
            Self::Set => session.insert("same", &number),
            Self::Update => session.update("n", |n: Option<u64>| n.unwrap_or(0) + 1).await.map(drop),
            Self::Login | Self::Handover => {
                session.login(if self == Self::Login { "alice" } else { "bob" })?;
                session.insert(&format!("w{number}"), &number)
            }
            Self::Renew => session.renew(),
            Self::Logout => session.logout().await,
            Self::EndOthers => session.end_others().await.map(drop),
            Self::EndDevice => match device {
                Some(id) => session.end_device(&id).await.map(drop),
                None => Ok(()),
            },
        }
    }
}

/// What a handler sees of its session before it does anything.
pub(crate) fn look_at(session: &Session) -> Seen {
    Seen {
        id: session.id(),
        user: session.user(),
        keys: session.keys(),
        n: session.get("n").ok().flatten(),
    }
}
