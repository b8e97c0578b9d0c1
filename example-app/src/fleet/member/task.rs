//! An instance that runs in this process, on a thread and in a runtime of its own: with the runtime all of its tasks
//! end, and so its connections.

use std::{
    net::{SocketAddr, TcpListener},
    thread,
};

use tokio::{runtime, sync::watch};

use super::Container;
use crate::{
    Failure, chain,
    serve::{self, Instance, Running},
    store::Store,
};

/// An instance and what keeps it going.
pub(super) struct Task {
    running: Option<Running>,
    alive: Option<Running>,
    /// Closed when it has ended.
    ended: watch::Receiver<()>,
}

/// Starts it. Where it listens, and its life.
pub(super) fn start(instance: Instance, store: Store) -> Result<(SocketAddr, Task), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let (running, stop) = serve::channel();
    let (alive, kill) = serve::channel();
    let (thread_runs, ended) = watch::channel(());
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let name = format!("instance {}", instance.name);
    thread::Builder::new().name(name).spawn(move || {
        let outcome = runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            tokio::select! {
                outcome = instance.serve(store, listener, stop) => outcome,
                () = kill.come() => Ok(()),
            }
        });
        if let Err(failure) = outcome {
            tracing::error!("an instance has ended: {}", chain(failure.as_ref()));
        }
        drop(runtime);
        drop(thread_runs);
    })?;
    let task = Task {
        running: Some(running),
        alive: Some(alive),
        ended,
    };
    Ok((address, task))
}

impl Container for Task {
    async fn ended(&mut self) {
        while self.ended.changed().await.is_ok() {}
    }

    fn stop(&mut self) {
        self.running.take();
    }

    fn kill(&mut self) {
        self.alive.take();
    }
}
