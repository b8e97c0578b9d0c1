//! One running instance, whatever it runs in.

mod process;
mod task;

use std::{future::Future, net::SocketAddr, time::Duration};

use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, sleep_until},
};

use super::{environment, kind::Kind, screen::Screen};
use crate::{Failure, serve::Instance};

/// How long an instance that was asked to stop may take. As on platforms.
const KILLED_AFTER: Duration = Duration::from_secs(10);

/// One running instance. Dropped, it is killed.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) index: u32,
    pub(super) guid: String,
    pub(super) address: SocketAddr,
    orders: mpsc::UnboundedSender<Order>,
    life: JoinHandle<()>,
}

/// What a platform tells an instance. Whoever tells it nothing any more is gone, and kills it.
#[derive(Debug)]
enum Order {
    Stop,
    Kill,
}

/// What an instance runs in.
trait Container: Send + 'static {
    /// Returns when it has ended, by itself or not. May be dropped and called again.
    fn ended(&mut self) -> impl Future<Output = ()> + Send;

    /// Asks it to finish and end.
    fn stop(&mut self);

    /// Ends it, with all that it is about.
    fn kill(&mut self);
}

impl Member {
    /// Starts an instance, which listens when this returns.
    pub(super) async fn start(
        kind: &Kind,
        index: u32,
        guid: String,
        front: SocketAddr,
        screen: &Screen,
    ) -> Result<Self, Failure> {
        let (orders, received) = mpsc::unbounded_channel();
        let (address, life) = match kind {
            Kind::Tasks { store, instance } => {
                let instance = Instance {
                    name: index.to_string(),
                    guid: Some(guid.clone()),
                    index: Some(index),
                    ..instance.clone()
                };
                let (address, task) = task::start(instance, store.clone())?;
                (address, tokio::spawn(lead(task, received)))
            }
            Kind::Processes { variables } => {
                let own = environment::of_instance(index, &guid, front);
                let (address, process) = process::start(index, [variables, &own], screen).await?;
                (address, tokio::spawn(lead(process, received)))
            }
        };
        Ok(Self {
            index,
            guid,
            address,
            orders,
            life,
        })
    }

    /// Asks it to finish and end; if it takes too long it is killed.
    pub(super) fn stop(&self) {
        let _ended_already = self.orders.send(Order::Stop);
    }

    /// Ends it.
    pub(super) fn kill(&self) {
        let _ended_already = self.orders.send(Order::Kill);
    }

    pub(super) fn has_ended(&self) -> bool {
        self.life.is_finished()
    }
}

/// Passes orders on to an instance until it has ended.
async fn lead(mut instance: impl Container, mut orders: mpsc::UnboundedReceiver<Order>) {
    let mut deadline: Option<Instant> = None;
    loop {
        let order = tokio::select! {
            () = instance.ended() => return,
            () = reached(deadline) => Some(Order::Kill),
            order = orders.recv() => order,
        };
        match order {
            Some(Order::Stop) => {
                instance.stop();
                deadline.get_or_insert_with(|| Instant::now() + KILLED_AFTER);
            }
            Some(Order::Kill) | None => {
                instance.kill();
                return instance.ended().await;
            }
        }
    }
}

async fn reached(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
