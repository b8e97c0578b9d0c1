use session_core::{SessionId, SessionStore, SessionToken};

use super::operation::{Operation, new_session};
use crate::Failure;

/// What an operation finds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene {
    /// A session of its own; one that is not there yet, for its creation.
    pub(super) from: SessionId,
    /// The id for its renewal.
    pub(super) to: SessionId,
}

impl Scene {
    /// Makes what the operation needs.
    pub(super) async fn set(store: &impl SessionStore, operation: Operation) -> Result<Self, Failure> {
        let from = SessionToken::random()?.id();
        if operation != Operation::Create {
            store.create(&from, &new_session()?).await?;
        }
        let to = SessionToken::random_successor(&from)?.id();
        Ok(Self { from, to })
    }
}
