use std::{
    io::{Error as IoError, ErrorKind},
    net::SocketAddr,
};

use tokio::net::TcpListener;

use crate::{
    Failure,
    app::app,
    cli::{ListenArgs, ServeArgs},
    shutdown::{on_request, serve_until},
    store::StoreUrl,
};

/// A port that cannot be listened on.
#[derive(Debug, thiserror::Error)]
enum ListenError {
    #[error("port {} of {} is in use: choose another with --port", .0.port(), .0.ip())]
    InUse(SocketAddr),
    #[error("cannot listen on {0}")]
    Other(SocketAddr, #[source] IoError),
}

/// The command `serve`.
pub(crate) async fn run(args: &ServeArgs) -> Result<(), Failure> {
    let stop = on_request()?;
    let store = StoreUrl::parse(&args.store.url)?;
    let listener = listen(&args.listen).await?;
    let layer = args.cookies.layer(store.open().await?);
    let instance = args.instance();
    println!("instance {instance} listens on http://{}", listener.local_addr()?);
    serve_until(stop, listener, app(layer, &instance)).await?;
    Ok(())
}

pub(crate) async fn listen(args: &ListenArgs) -> Result<TcpListener, Failure> {
    let address = SocketAddr::new(args.host, args.port);
    TcpListener::bind(address).await.map_err(|error| {
        let error = match error.kind() {
            ErrorKind::AddrInUse => ListenError::InUse(address),
            _ => ListenError::Other(address, error),
        };
        error.into()
    })
}
