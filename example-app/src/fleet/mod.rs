//! A stand-in for the platform: instances, a balancer in front of them, and a console to scale, restart, kill and
//! deploy them.

mod balancer;
mod console;
mod environment;
mod kind;
mod member;
mod platform;
mod roster;
mod screen;
mod table;
mod variables;
mod watch;

use crate::{
    Failure,
    cli::FleetArgs,
    serve::{channel, listen, on_request, serve_until},
    tell,
};

use balancer::balancer;
pub(crate) use console::Command;
use platform::Platform;
use roster::Roster;
pub(crate) use screen::Screen;

/// The command `fleet`.
pub(crate) async fn run(args: &FleetArgs, screen: Screen) -> Result<(), Failure> {
    let stop = on_request()?;
    let front = listen(&args.listen).await?;
    let address = front.local_addr()?;
    let roster = Roster::default();
    let mut platform = Platform::new(args, roster.clone(), address, screen).await?;

    let (running, end) = channel();
    let balancer = tokio::spawn(serve_until(end.clone(), front, balancer(roster, end)));
    let outcome = platform.run(args, stop).await;
    // The instances go on until the balancer has answered what it had begun.
    drop(running);
    balancer.await??;
    platform.stop_all().await;
    outcome?;
    tell("stopped");
    Ok(())
}
