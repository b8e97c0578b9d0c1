use session_core::{SessionId, Version, WatchLink};
use uuid::Uuid;

/// What a statement tells all instances of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Announcement {
    /// It is over.
    Ended(SessionId),
    /// It goes on under another id, the second.
    Renewed(SessionId, SessionId),
    /// It has another version; without one it was touched.
    Changed(SessionId, Option<Version>),
    /// A near cache asks to be told of changes.
    Asked(Uuid),
}

impl Announcement {
    /// What a notification says. Whatever else may be said on the channel, by whomever, is nothing.
    pub(crate) fn read_all(payload: &str) -> impl Iterator<Item = Self> {
        payload.split(' ').filter_map(|change| {
            if let Some(id) = change.strip_prefix('?') {
                return Uuid::try_parse(id).ok().map(Self::Asked);
            }
            Some(match (change.split_once('>'), change.split_once('=')) {
                (None, None) => Self::Ended(read_id(change)?),
                (Some((from, to)), _) => Self::Renewed(read_id(from)?, read_id(to)?),
                (None, Some((id, ""))) => Self::Changed(read_id(id)?, None),
                (None, Some((id, version))) => Self::Changed(read_id(id)?, Some(Version(version.parse().ok()?))),
            })
        })
    }

    pub(crate) fn pass_on(self, link: &WatchLink) {
        match self {
            Self::Ended(id) => link.ended(&id),
            Self::Renewed(from, to) => link.renewed(&from, &to),
            Self::Changed(..) | Self::Asked(_) => {}
        }
    }
}

fn read_id(text: &str) -> Option<SessionId> {
    let id = Uuid::try_parse(text).ok()?;
    Some(SessionId::from_bytes(id.into_bytes()))
}
