use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use session_core::SessionStore;
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    Failure,
    app::app,
    balancer::balancer,
    cli::FleetArgs,
    serve::listen,
    shutdown::{channel, on_request, serve_until},
    store::StoreUrl,
};

/// The command `fleet`: instances with a listener and a connection to the store each, and a balancer.
pub(crate) async fn run(args: &FleetArgs) -> Result<(), Failure> {
    let stop = on_request()?;
    let url = StoreUrl::parse(&args.store.url)?;
    let front = listen(&args.listen).await?;
    url.migrate().await?;

    let mut instances = JoinSet::new();
    let mut addresses = Vec::new();
    let (running, end) = channel();
    for (number, store) in (1..).zip(stores(&url, args.instances).await?) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let app = app(args.cookies.layer(store), &format!("{number}"));
        instances.spawn(serve_until(end.clone(), listener, app));
        println!("instance {number} listens on http://{address}");
        addresses.push(address);
    }

    println!("open http://{}", browsable(front.local_addr()?));
    // The instances go on until the balancer has answered what it had begun.
    serve_until(stop, front, balancer(&addresses)).await?;
    drop(running);
    while let Some(ended) = instances.join_next().await {
        ended??;
    }
    println!("stopped");
    Ok(())
}

/// A store for each instance: memory is one that they share, of the others each instance has a connection of its own.
async fn stores(url: &StoreUrl<'_>, instances: u16) -> Result<Vec<Arc<dyn SessionStore>>, Failure> {
    let mut stores = Vec::new();
    for _ in 0..instances {
        let store = match (url, stores.first()) {
            (StoreUrl::Memory, Some(memory)) => Arc::clone(memory),
            _ => url.open().await?,
        };
        stores.push(store);
    }
    Ok(stores)
}

/// An address that a browser on this machine can open: a listener on all addresses has none of its own.
fn browsable(address: SocketAddr) -> String {
    match address.ip() {
        ip if ip.is_loopback() || ip.is_unspecified() => format!("localhost:{}", address.port()),
        _ => address.to_string(),
    }
}
