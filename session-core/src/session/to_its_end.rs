use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use tokio::runtime;

use crate::Error;

/// Work that is done to its end, also if whoever waits for it goes away: then a task of its own does the rest.
///
/// As long as somebody waits there is no such task, and nobody to be woken by it. It is for work that is waited for and
/// nothing else: left alone without being dropped, it stands still.
pub(super) struct ToItsEnd(Option<Work>);

type Work = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

impl ToItsEnd {
    pub(super) fn new(work: impl Future<Output = Result<(), Error>> + Send + 'static) -> Self {
        Self(Some(Box::pin(work)))
    }
}

impl Future for ToItsEnd {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // What panics is not polled again, and its caller hears of it as of any other failure.
        let Some(mut work) = self.0.take() else {
            return Poll::Ready(Err(Error::unknown("it was waited for twice")));
        };
        match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
            Ok(Poll::Ready(outcome)) => Poll::Ready(outcome),
            Ok(Poll::Pending) => {
                self.0 = Some(work);
                Poll::Pending
            }
            Err(_panic) => Poll::Ready(Err(Error::unknown("it panicked"))),
        }
    }
}

impl Drop for ToItsEnd {
    fn drop(&mut self) {
        // Without a runtime there is nobody to do it.
        if let Some(work) = self.0.take()
            && let Ok(runtime) = runtime::Handle::try_current()
        {
            runtime.spawn(work);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use tokio::{sync::oneshot, task::yield_now};

    use super::*;

    fn poll(work: &mut ToItsEnd) -> Poll<Result<(), Error>> {
        Pin::new(work).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn what_is_waited_for_needs_no_task() {
        let (go, gone) = oneshot::channel();
        let mut work = ToItsEnd::new(async { gone.await.map_err(Error::unknown) });
        assert!(poll(&mut work).is_pending());
        go.send(()).unwrap();
        assert!(matches!(poll(&mut work), Poll::Ready(Ok(()))));
    }

    #[tokio::test]
    async fn what_nobody_waits_for_any_more_is_done() {
        let (go, gone) = oneshot::channel::<()>();
        let (done, is_done) = oneshot::channel();
        let mut work = ToItsEnd::new(async {
            let _gone = gone.await;
            yield_now().await;
            let _heard = done.send(());
            Ok(())
        });
        assert!(poll(&mut work).is_pending());
        drop(work);
        go.send(()).unwrap();
        is_done.await.unwrap();
    }

    #[test]
    fn a_panic_is_an_unknown_outcome() {
        let mut work = ToItsEnd::new(async { panic!("as a store might") });
        assert!(matches!(poll(&mut work), Poll::Ready(Err(Error::Unknown { .. }))));
    }
}
