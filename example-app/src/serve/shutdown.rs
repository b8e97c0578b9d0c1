use std::{future::Future, io, net::SocketAddr, sync::Weak, thread, time::Duration};

use axum::Router;
use session_core::SessionStore;
use tokio::{
    net::TcpListener,
    sync::watch,
    time::{sleep, timeout},
};

use super::Health;

/// How long an instance that was asked to stop goes on taking connections, while whoever balances finds out.
const NOTICE: Duration = Duration::from_secs(2);

/// How long requests that are being answered may go on after that. With what is before and after it this is eight
/// seconds; platforms kill after ten.
const GRACE: Duration = Duration::from_secs(5);

/// How long what requests have left running may then use the store: a commit goes on if its browser has gone.
const FLUSH: Duration = Duration::from_secs(1);

/// Whoever holds it keeps the servers running that were given its [`Signal`].
#[derive(Debug)]
pub(crate) struct Running(#[allow(dead_code, reason = "dropping it is what is told")] watch::Sender<()>);

/// Tells a server to stop.
#[derive(Clone, Debug)]
pub(crate) struct Signal(watch::Receiver<()>);

/// A signal that comes when the other half is dropped.
pub(crate) fn channel() -> (Running, Signal) {
    let (sender, receiver) = watch::channel(());
    (Running(sender), Signal(receiver))
}

/// A signal that comes with Ctrl-C or SIGTERM. From now on neither ends the process by itself.
pub(crate) fn on_request() -> io::Result<Signal> {
    let (running, signal) = channel();
    let requested = requested()?;
    tokio::spawn(async move {
        requested.await;
        drop(running);
    });
    Ok(signal)
}

/// The same, and it comes with the end of the input too: whoever started this process is gone.
pub(crate) fn on_request_or_end_of_input() -> io::Result<Signal> {
    let (running, signal) = channel();
    let requested = on_request()?;
    let (ended, end) = tokio::sync::oneshot::channel::<()>();
    // A thread of its own: one of the runtime's would keep the program from ending.
    thread::spawn(move || {
        let _ended = io::copy(&mut io::stdin().lock(), &mut io::sink());
        drop(ended);
    });
    tokio::spawn(async move {
        tokio::select! {
            () = requested.come() => {}
            _dropped = end => {}
        }
        drop(running);
    });
    Ok(signal)
}

#[cfg(unix)]
fn requested() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn requested() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    })
}

impl Signal {
    pub(crate) fn has_come(&self) -> bool {
        self.0.has_changed().is_err()
    }

    pub(crate) async fn come(mut self) {
        // Nothing is ever sent, so this is an error: the other half is gone.
        while self.0.changed().await.is_ok() {}
    }
}

/// Serves an instance: after the signal it says that it is not ready, takes requests a moment longer, and then finishes
/// those under way.
pub(super) async fn serve_instance(
    signal: Signal,
    health: Health,
    listener: TcpListener,
    app: Router,
) -> io::Result<()> {
    let (noticed, stop) = channel();
    let notice = async {
        signal.come().await;
        health.stopping();
        sleep(NOTICE).await;
        drop(noticed);
        std::future::pending().await
    };
    tokio::select! {
        ended = serve_until(stop, listener, app) => ended,
        never = notice => never,
    }
}

/// Waits until nobody uses the store any more that this instance's requests used, or the time for that is over.
pub(super) async fn until_unused(store: &Weak<dyn SessionStore>) {
    let unused = async {
        while store.strong_count() > 0 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    if timeout(FLUSH, unused).await.is_err() {
        tracing::warn!("something still uses the store and is not waited for");
    }
}

/// Serves `app` until the signal comes and the requests under way are answered, or their grace is over.
pub(crate) async fn serve_until(signal: Signal, listener: TcpListener, app: Router) -> io::Result<()> {
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, app).with_graceful_shutdown(signal.clone().come());
    let overtime = async {
        signal.come().await;
        sleep(GRACE).await;
    };
    tokio::select! {
        ended = server => ended,
        () = overtime => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use session_core::MemoryStore;
    use tokio::time::Instant;

    use super::*;

    /// How long an instance waits for work that goes on for so long.
    async fn waits_for(work: Duration) -> Duration {
        let store: Arc<dyn SessionStore> = Arc::new(MemoryStore::new());
        let in_use = Arc::downgrade(&store);
        tokio::spawn(async move {
            sleep(work).await;
            drop(store);
        });
        let begin = Instant::now();
        until_unused(&in_use).await;
        begin.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn what_requests_have_left_running_is_waited_for_but_not_for_ever() {
        let short = waits_for(Duration::from_millis(300)).await;
        assert!((300..400).contains(&short.as_millis()), "{short:?}");
        assert_eq!(waits_for(Duration::from_secs(3600)).await, FLUSH);
    }

    #[test]
    fn an_instance_that_stops_is_done_before_it_is_killed() {
        assert!(NOTICE + GRACE + FLUSH <= Duration::from_secs(8));
    }
}
