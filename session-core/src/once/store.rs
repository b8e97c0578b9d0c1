use std::{fmt::Debug, ops::Deref, sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::{Claim, Claimed, Error};

/// Where it is recorded which work has been done, and who is doing it; [`run_once`](crate::run_once) is the way to use
/// it.
///
/// Work is free, claimed, or done. A claim holds for a *lease*, and for longer if it is kept; then it has lapsed, as if
/// its holder had died. Every method is one atomic step among all instances, and the time is the store's. Work that is
/// done stays so: no time and no housekeeping ends that.
///
/// Each method may be repeated when its outcome is unknown, and is then answered like the first time. The suite
/// `once_tests!`, in the feature `conformance`, checks all this.
///
/// ```
/// use session_core::{Claim, Claimed, MemoryStore, OnceStore};
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), session_core::Error> {
/// const LEASE: Duration = Duration::from_secs(10);
///
/// let store = MemoryStore::new();
/// let (one, other) = (Claim::new("fill the cache")?, Claim::new("fill the cache")?);
/// assert_eq!(store.claim(&one, LEASE).await?, Claimed::Mine);
/// assert_eq!(store.claim(&other, LEASE).await?, Claimed::Taken);
/// assert!(store.finish(&one).await?);
/// assert_eq!(store.claim(&other, LEASE).await?, Claimed::Done);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::Unavailable`] if nothing was done, and [`Error::Unknown`] if that cannot be told. No method waits for ever.
#[async_trait]
pub trait OnceStore: Debug + Send + Sync + 'static {
    /// Claims work that is free, or whose claim has lapsed.
    ///
    /// # Errors
    ///
    /// None of its own.
    async fn claim(&self, claim: &Claim, lease: Duration) -> Result<Claimed, Error>;

    /// Lets a claim hold for a whole lease from now, and returns whether it held until now.
    ///
    /// # Errors
    ///
    /// None of its own.
    async fn keep(&self, claim: &Claim, lease: Duration) -> Result<bool, Error>;

    /// Records for good that the work is done, if the claim holds, and returns whether it did. Whoever has lost the
    /// claim changes nothing.
    ///
    /// # Errors
    ///
    /// None of its own.
    async fn finish(&self, claim: &Claim) -> Result<bool, Error>;

    /// Frees the work, if it is claimed by this claim.
    ///
    /// # Errors
    ///
    /// None of its own.
    async fn give_back(&self, claim: &Claim) -> Result<(), Error>;
}

#[async_trait]
impl<S: OnceStore + ?Sized> OnceStore for Arc<S> {
    async fn claim(&self, claim: &Claim, lease: Duration) -> Result<Claimed, Error> {
        self.deref().claim(claim, lease).await
    }

    async fn keep(&self, claim: &Claim, lease: Duration) -> Result<bool, Error> {
        self.deref().keep(claim, lease).await
    }

    async fn finish(&self, claim: &Claim) -> Result<bool, Error> {
        self.deref().finish(claim).await
    }

    async fn give_back(&self, claim: &Claim) -> Result<(), Error> {
        self.deref().give_back(claim).await
    }
}
