//! One instance, as a platform runs it.

mod forwarded;
mod health;
mod prepare;
mod shutdown;

use std::{
    io::{Error as IoError, ErrorKind},
    net::SocketAddr,
    sync::Arc,
};

use axum::{Router, middleware};
use session_core::SessionStore;
use tokio::net::TcpListener;
use tracing::subscriber::{NoSubscriber, with_default};

use crate::{
    Failure,
    app::{Here, app},
    cli::{CookieArgs, ListenArgs, ServeArgs, SessionArgs},
    span::Span,
    store::{self, Place, Source, Store},
    tell,
};

pub(crate) use forwarded::{Client, Forwarded};
pub(crate) use health::{Health, Status};
pub(crate) use shutdown::{Running, Signal, channel, on_request, serve_until};

/// A port that cannot be listened on.
#[derive(Debug, thiserror::Error)]
enum ListenError {
    #[error("port {} of {} is in use: choose another with --port", .0.port(), .0.ip())]
    InUse(SocketAddr),
    #[error("cannot listen on {0}")]
    Other(SocketAddr, #[source] IoError),
}

/// One instance of the app.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    /// What its page calls it.
    pub(crate) name: String,
    /// What its platform calls it, which is another name after each start. It tells apart two with the same number.
    pub(crate) guid: Option<String>,
    /// Its number on its platform. Number 0 prepares the store, and so does one without a number.
    pub(crate) index: Option<u32>,
    pub(crate) cookies: CookieArgs,
    pub(crate) sessions: SessionArgs,
    /// How long the store may take for a request, if not as long as the layer allows anyway.
    pub(crate) store_timeout: Option<Span>,
    pub(crate) forwarded: Forwarded,
    /// Whether it is a part of a fleet on this machine, where plain http is nothing to warn of.
    pub(crate) is_local: bool,
}

impl Instance {
    /// Answers requests until the signal comes: at once, and as ready when the store answers and what has to be
    /// prepared is. It ends before that with what no waiting mends.
    pub(crate) async fn serve(self, store: Store, listener: TcpListener, stop: Signal) -> Result<(), Failure> {
        let health = Health::default();
        let sessions = store.sessions();
        let in_use = Arc::downgrade(&sessions);
        let routes = match self.is_local {
            true => with_default(NoSubscriber::new(), || self.routes(sessions, &health)),
            false => self.routes(sessions, &health),
        };
        let preparing = prepare::until_ready(&store, self.index, &health);
        tokio::select! {
            Err(lasting) = preparing => return Err(store::explain(lasting)),
            ended = shutdown::serve_instance(stop, health.clone(), listener, routes) => ended?,
        }
        shutdown::until_unused(&in_use).await;
        Ok(())
    }

    /// What it answers, over this store.
    fn routes(&self, sessions: Arc<dyn SessionStore>, health: &Health) -> Router {
        let mut layer = self
            .sessions
            .set(self.cookies.layer(Arc::clone(&sessions)))
            .instance(self.label());
        if let Some(Span(limit)) = self.store_timeout {
            layer = layer.store_timeout(limit);
        }
        let here = Here::new(&self.name, health).with_idle(self.sessions.idle());
        let here = here.with_guid(self.guid.as_deref().map(short));
        app(layer, here)
            .merge(health.routes(&self.name, sessions))
            .layer(middleware::from_fn_with_state(health.clone(), Health::close))
            .layer(middleware::from_fn_with_state(self.forwarded, forwarded::log))
    }

    /// How logs call it: `0/5f3e2a1b`.
    fn label(&self) -> String {
        match &self.guid {
            Some(guid) => format!("{}/{}", self.name, short(guid)),
            None => self.name.clone(),
        }
    }
}

/// The first characters of a guid, which suffice to tell instances apart.
pub(crate) fn short(guid: &str) -> String {
    guid.chars().take(8).collect()
}

/// The command `serve`.
pub(crate) async fn run(args: &ServeArgs) -> Result<(), Failure> {
    let stop = match args.until_stdin_ends {
        true => shutdown::on_request_or_end_of_input()?,
        false => on_request()?,
    };
    // What is wrong is told before anything is served; whether the server is there is found out while waiting for it.
    let store = Place::of(&Source::of(&args.store)?, &args.store)?.open()?;
    let listener = listen(&args.listen).await?;
    let instance = args.instance();
    tell(&format!(
        "instance {} listens on http://{}",
        instance.label(),
        listener.local_addr()?
    ));
    instance.serve(store, listener, stop).await
}

pub(crate) async fn listen(args: &ListenArgs) -> Result<TcpListener, Failure> {
    let address = args.address();
    TcpListener::bind(address).await.map_err(|error| {
        let error = match error.kind() {
            ErrorKind::AddrInUse => ListenError::InUse(address),
            _ => ListenError::Other(address, error),
        };
        error.into()
    })
}
