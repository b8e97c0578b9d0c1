//! The app that is measured: the same routes and handlers, whatever keeps the sessions.

mod axum_session;
mod ours;
mod routes;
mod sessions;
mod tower_sessions;

use std::{io, sync::Arc};

use ::axum::{Extension, Router, routing::get};
use tokio::net::TcpListener;

use crate::{Failure, variant::Variant};

/// What the route outside every layer answers: the bare cost of a request.
pub(crate) const BARE: &str = "ok";

/// Serves the app on a free port, prints its address, and ends when the input does: whoever started it holds the other
/// end, and closes it by ending too.
pub(crate) async fn serve(variant: Variant, url: &str) -> Result<(), Failure> {
    let app = router(variant, url).await?.route("/bare", get(async || BARE));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    tokio::spawn(async { ::axum::serve(listener, app).await });
    tokio::task::spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink())).await??;
    std::process::exit(0);
}

/// The routes under the variant's session layer.
async fn router(variant: Variant, url: &str) -> Result<Router, Failure> {
    match variant {
        Variant::None => Ok(routes::plain().layer(Extension(Arc::new(())))),
        Variant::OursRedis => ours::redis(url, None).await,
        Variant::OursRedisNear => ours::redis(url, Some(ours::NEAR_CACHE)).await,
        Variant::OursPostgres => ours::postgres(url, None).await,
        Variant::OursPostgresNear => ours::postgres(url, Some(ours::NEAR_CACHE)).await,
        Variant::OursMemory => Ok(ours::memory()),
        Variant::TowerRedis => tower_sessions::redis(url).await,
        Variant::TowerPostgres => tower_sessions::postgres(url).await,
        Variant::TowerMemory => Ok(tower_sessions::memory()),
        Variant::AxumRedis => axum_session::redis(url).await,
        Variant::AxumPostgres => axum_session::postgres(url).await,
    }
}
