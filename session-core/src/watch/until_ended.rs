use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use super::{Watch, lookout};
use crate::{SessionId, SessionStore};

/// Waits until a session has ended, anywhere and for whatever reason: logout, an end by somebody else, expiry.
///
/// In a handler `Session::ended` is the same, for the request's session, and says more. A renewal does not end a
/// session, under whatever id it goes on; a login from it does, and a [lock](crate::Lifetime::lock_when_idle), which
/// only a login opens. For an id that is no session's it is done at once. It works within a tokio runtime with time
/// enabled.
///
/// A store that cannot be asked ends nothing: it waits until the store says that the session is gone. If the store
/// could not be asked for as long as a renewal can be followed, five minutes, a session renewed before counts as gone.
///
/// ```
/// # use std::sync::Arc;
/// # use session_core::{Lifetime, MemoryStore, NewSession, SessionStore, SessionToken, until_ended};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), session_core::Error> {
/// let store: Arc<dyn SessionStore> = Arc::new(MemoryStore::new());
/// let id = SessionToken::random()?.id();
/// store.create(&id, &NewSession::new(Lifetime::default())).await?;
///
/// let ended = tokio::spawn(until_ended(Arc::clone(&store), id));
/// store.end(&id).await?;
/// ended.await.expect("waiting does not panic");
/// # Ok(())
/// # }
/// ```
pub async fn until_ended(store: Arc<dyn SessionStore>, id: SessionId) {
    let watch = store.watch().clone();
    let number = watch.sessions().add(Instant::now(), id);
    let waiting = Waiting { watch, number };
    lookout::keep(&waiting.watch, store);
    waiting.await;
}

/// One who waits; dropped, they wait no longer.
struct Waiting {
    watch: Watch,
    number: u64,
}

impl Future for Waiting {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.watch.sessions().poll(self.number, context)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.watch.sessions().remove(self.number);
    }
}
