use std::str;

use session_core::{SessionId, WatchLink};

/// What a script tells all instances of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Announcement {
    /// It is over.
    Ended(SessionId),
    /// It goes on under another id, the second.
    Renewed(SessionId, SessionId),
}

impl Announcement {
    /// What a message on the channel says. Whatever else may be said there, by whomever, is nothing.
    pub(crate) fn read(message: &[u8]) -> Option<Self> {
        let message = str::from_utf8(message).ok()?;
        Some(match message.split_once('>') {
            None => Self::Ended(message.parse().ok()?),
            Some((from, to)) => Self::Renewed(from.parse().ok()?, to.parse().ok()?),
        })
    }

    pub(crate) fn pass_on(self, link: &WatchLink) {
        match self {
            Self::Ended(id) => link.ended(&id),
            Self::Renewed(from, to) => link.renewed(&from, &to),
        }
    }
}
