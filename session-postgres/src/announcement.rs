use session_core::{SessionId, WatchLink};
use uuid::Uuid;

/// What a statement tells all instances of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Announcement {
    /// It is over.
    Ended(SessionId),
    /// It goes on under another id, the second.
    Renewed(SessionId, SessionId),
}

impl Announcement {
    /// What a notification says. Whatever else may be said on the channel, by whomever, is nothing.
    pub(crate) fn read_all(payload: &str) -> impl Iterator<Item = Self> {
        payload.split(' ').filter_map(|change| {
            Some(match change.split_once('>') {
                None => Self::Ended(read_id(change)?),
                Some((from, to)) => Self::Renewed(read_id(from)?, read_id(to)?),
            })
        })
    }

    pub(crate) fn pass_on(self, link: &WatchLink) {
        match self {
            Self::Ended(id) => link.ended(&id),
            Self::Renewed(from, to) => link.renewed(&from, &to),
        }
    }
}

fn read_id(text: &str) -> Option<SessionId> {
    let id = Uuid::try_parse(text).ok()?;
    Some(SessionId::from_bytes(id.into_bytes()))
}
