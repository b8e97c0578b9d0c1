use std::{
    net::SocketAddr,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum_reverse_proxy::{HostBehaviour, ProxyPolicy, ReverseProxy};

/// The proxy to one instance.
pub(super) type Proxy = ReverseProxy<hyper_util::client::legacy::connect::HttpConnector>;

/// The instances that are ready, in the order in which requests go to them.
#[derive(Clone, Default)]
pub(super) struct Roster(Arc<Ready>);

#[derive(Default)]
struct Ready {
    instances: RwLock<Vec<(SocketAddr, Arc<Proxy>)>>,
    turn: AtomicUsize,
    turn_of_streams: AtomicUsize,
}

impl Roster {
    /// From now on requests go to this instance too.
    pub(super) fn add(&self, address: SocketAddr) {
        // As platforms do: the app sees the host the browser asked for.
        let policy = ProxyPolicy::new().with_host_behaviour(HostBehaviour::Preserve);
        let proxy = ReverseProxy::new("", format!("http://{address}")).with_policy(policy);
        let mut instances = self.0.instances.write().unwrap_or_else(PoisonError::into_inner);
        instances.retain(|(known, _)| *known != address);
        instances.push((address, Arc::new(proxy)));
    }

    /// From now on no request goes to this instance.
    pub(super) fn remove(&self, address: SocketAddr) {
        let mut instances = self.0.instances.write().unwrap_or_else(PoisonError::into_inner);
        instances.retain(|(known, _)| *known != address);
    }

    /// The instance whose turn it is.
    pub(super) fn next(&self) -> Option<Arc<Proxy>> {
        self.take(&self.0.turn)
    }

    /// The instance whose turn it is to send a stream of events.
    ///
    /// A page opens one after each load. If the two shared their turns, the pages of two instances would all come from
    /// the same one.
    pub(super) fn next_for_stream(&self) -> Option<Arc<Proxy>> {
        self.take(&self.0.turn_of_streams)
    }

    fn take(&self, turn: &AtomicUsize) -> Option<Arc<Proxy>> {
        let instances = self.0.instances.read().unwrap_or_else(PoisonError::into_inner);
        let turn = turn.fetch_add(1, Ordering::Relaxed);
        let place = turn.checked_rem(instances.len())?;
        instances.get(place).map(|(_, proxy)| Arc::clone(proxy))
    }
}
