use std::net::SocketAddr;

use axum::Router;
use axum_reverse_proxy::{BalancedProxy, HostBehaviour, ProxyPolicy};

/// A round-robin balancer in front of the instances at these addresses. An instance that cannot be reached is a 502.
///
/// It keeps no browser on one instance, so that each request of a session meets another one.
pub(crate) fn balancer(instances: &[SocketAddr]) -> Router {
    let targets = instances.iter().map(|address| format!("http://{address}")).collect();
    // As platforms do: the app sees the host the browser asked for.
    let policy = ProxyPolicy::new().with_host_behaviour(HostBehaviour::Preserve);
    Router::new().fallback_service(BalancedProxy::new(String::from("/"), targets).with_policy(policy))
}
