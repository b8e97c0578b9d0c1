use std::{future::Future, io, time::Duration};

use axum::Router;
use tokio::{net::TcpListener, sync::watch};

/// How long requests that are being answered may go on after the signal. Platforms kill after ten seconds.
const GRACE: Duration = Duration::from_secs(5);

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
    pub(crate) async fn come(mut self) {
        // Nothing is ever sent, so this is an error: the other half is gone.
        while self.0.changed().await.is_ok() {}
    }
}

/// Serves `app` until the signal comes and the requests under way are answered, or their grace is over.
pub(crate) async fn serve_until(signal: Signal, listener: TcpListener, app: Router) -> io::Result<()> {
    let server = axum::serve(listener, app).with_graceful_shutdown(signal.clone().come());
    let overtime = async {
        signal.come().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = server => ended,
        () = overtime => Ok(()),
    }
}
