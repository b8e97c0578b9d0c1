//! One running instance, whatever it runs in.

mod process;
mod task;

use std::net::SocketAddr;

use tokio::{sync::mpsc, task::JoinHandle};

use super::{environment, kind::Kind};
use crate::{Failure, serve::Instance};

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

impl Member {
    /// Starts an instance, which listens when this returns.
    pub(super) async fn start(kind: &Kind, index: u32, guid: String, front: SocketAddr) -> Result<Self, Failure> {
        let (orders, received) = mpsc::unbounded_channel();
        let (address, life) = match kind {
            Kind::Tasks { store, instance } => {
                let instance = Instance {
                    name: index.to_string(),
                    index: Some(index),
                    ..instance.clone()
                };
                task::start(instance, store.clone(), received).await?
            }
            Kind::Processes { variables } => {
                let own = environment::of_instance(index, &guid, front);
                process::start(index, [variables, &own], received).await?
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

    /// Asks it to finish and end.
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
