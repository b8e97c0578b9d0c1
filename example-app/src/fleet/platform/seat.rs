use std::net::SocketAddr;

use tokio::task::JoinHandle;

use crate::{
    fleet::member::Member,
    serve::{Status, short},
};

/// An instance and what is known of it.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) member: Member,
    /// Of which deploy it is.
    pub(super) generation: u32,
    pub(super) phase: Phase,
    pub(super) status: Option<Status>,
    pub(super) watcher: JoinHandle<()>,
}

/// How an instance does, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Starting,
    Ready,
    /// It was ready, and is not any more: it may be again.
    Unready,
    Stopping,
}

/// A line of the table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) index: u32,
    /// The first characters: enough to tell apart two with the same number, which a deploy makes.
    pub(crate) guid: String,
    pub(crate) state: &'static str,
    pub(crate) address: SocketAddr,
    pub(crate) requests: u64,
    pub(crate) sessions: usize,
    pub(crate) store: String,
}

impl Seat {
    pub(super) fn row(&self) -> Row {
        let status = self.status.as_ref();
        Row {
            index: self.member.index,
            guid: short(&self.member.guid),
            state: match self.phase {
                Phase::Starting => "starting",
                Phase::Ready => "ready",
                Phase::Unready => "not ready",
                Phase::Stopping => "stopping",
            },
            address: self.member.address,
            requests: status.map_or(0, |status| status.requests),
            sessions: status.map_or(0, |status| status.sessions),
            store: status.map_or_else(String::new, |status| status.store.clone()),
        }
    }
}
