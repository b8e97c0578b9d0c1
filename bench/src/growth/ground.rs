use session_core::SessionStore;

use super::{member::Member, size::Size};
use crate::{Failure, variant::Backend};

/// A store on a server, and what is done behind the store's back.
pub(super) trait Ground: Send + Sync + 'static {
    type Store: SessionStore + Clone;

    const BACKEND: Backend;

    fn store(&self) -> &Self::Store;

    /// Fills the empty store with sessions of just the shape that the store makes.
    fn fill(&mut self, members: &[Member]) -> impl Future<Output = Result<(), Failure>> + Send;

    /// The bytes that its sessions take, by parts.
    fn sizes(&mut self) -> impl Future<Output = Result<Vec<Size>, Failure>> + Send;

    /// Whether a session leaves something for a purge when it expires.
    fn is_purged(member: &Member) -> bool;

    /// Makes such sessions expired.
    fn expire(&mut self, members: &[Member]) -> impl Future<Output = Result<(), Failure>> + Send;
}
