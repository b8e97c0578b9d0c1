//! An instance that is a task of this process.

use std::net::SocketAddr;

use tokio::{net::TcpListener, sync::mpsc::UnboundedReceiver, task::JoinHandle};

use super::Order;
use crate::{
    Failure, chain,
    serve::{self, Instance, Running},
    store::Store,
};

/// Starts it. Where it listens, and its life.
pub(super) async fn start(
    instance: Instance,
    store: Store,
    orders: UnboundedReceiver<Order>,
) -> Result<(SocketAddr, JoinHandle<()>), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (running, signal) = serve::channel();
    let task = tokio::spawn(instance.serve(store, listener, signal));
    Ok((address, tokio::spawn(lead(task, running, orders))))
}

/// Passes orders on to it until it ends.
async fn lead(mut task: JoinHandle<Result<(), Failure>>, running: Running, mut orders: UnboundedReceiver<Order>) {
    let mut running = Some(running);
    loop {
        let order = tokio::select! {
            ended = &mut task => {
                if let Ok(Err(failure)) = ended {
                    tracing::error!("an instance has ended: {}", chain(failure.as_ref()));
                }
                return;
            }
            order = orders.recv() => order,
        };
        match order {
            Some(Order::Stop) => drop(running.take()),
            Some(Order::Kill) | None => task.abort(),
        }
    }
}
