use std::{future::Future, sync::Arc, time::Duration};

use tokio::{sync::Semaphore, time::timeout};

/// Where something waits until the test lets it go on.
#[derive(Clone, Debug)]
pub(super) struct Barrier(Arc<Permits>);

#[derive(Debug)]
struct Permits {
    reached: Semaphore,
    open: Semaphore,
}

impl Barrier {
    pub(super) fn new() -> Self {
        let none = || Semaphore::new(0);
        Self(Arc::new(Permits {
            reached: none(),
            open: none(),
        }))
    }

    /// Waits here.
    pub(super) async fn wait(&self) {
        self.0.reached.add_permits(1);
        self.0.open.acquire().await.unwrap().forget();
    }

    /// Returns when something has come to wait here.
    pub(super) async fn reached(&self) {
        patiently("nothing came to wait", self.0.reached.acquire()).await.unwrap().forget();
    }

    /// Lets one that waits go on.
    pub(super) fn open(&self) {
        self.0.open.add_permits(1);
    }
}

pub(super) async fn patiently<T>(otherwise: &str, event: impl Future<Output = T>) -> T {
    let event = timeout(Duration::from_secs(60), event).await;
    event.unwrap_or_else(|_| panic!("{otherwise}"))
}
