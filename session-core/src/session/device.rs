use std::ops::Deref;

use crate::SessionInfo;

/// One of a user's sessions, as [`Session::devices`](crate::Session::devices) lists them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Device {
    /// The session.
    pub info: SessionInfo,
    /// Whether it is the one that asked.
    pub is_this: bool,
}

impl Deref for Device {
    type Target = SessionInfo;

    fn deref(&self) -> &SessionInfo {
        &self.info
    }
}
