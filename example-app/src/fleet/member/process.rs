//! An instance in a process of its own.

use std::{env, net::SocketAddr, path::PathBuf, process::Stdio};

use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    sync::mpsc::UnboundedReceiver,
    task::JoinHandle,
};

use super::Order;
use crate::{Failure, fleet::variables::Variables};

/// An instance that ended before it said where it listens.
#[derive(Debug, thiserror::Error)]
#[error("instance {0} ended at once; what it said is above")]
struct NeverListened(u32);

/// Starts it with these variables. Where it listens, and its life.
pub(super) async fn start(
    index: u32,
    variables: [&Variables; 2],
    orders: UnboundedReceiver<Order>,
) -> Result<(SocketAddr, JoinHandle<()>), Failure> {
    let mut command = command()?;
    for variables in variables {
        variables.give_to(&mut command);
    }
    let mut child = command.spawn()?;
    let mut lines = child.stdout.take().map(|output| BufReader::new(output).lines());
    let Some(address) = listens_on(lines.as_mut()).await else {
        child.wait().await?;
        return Err(NeverListened(index).into());
    };
    Ok((address, tokio::spawn(lead(child, lines, orders))))
}

fn command() -> Result<Command, Failure> {
    let program: PathBuf = env::current_exe()?;
    let mut command = Command::new(program);
    command
        .args(["serve", "--until-stdin-ends"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    Ok(command)
}

async fn listens_on(lines: Option<&mut Lines<BufReader<ChildStdout>>>) -> Option<SocketAddr> {
    let line = lines?.next_line().await.ok()??;
    line.rsplit_once("http://")?.1.parse().ok()
}

/// Passes orders on to it until it ends.
async fn lead(mut child: Child, lines: Option<Lines<BufReader<ChildStdout>>>, mut orders: UnboundedReceiver<Order>) {
    // Its ends of the pipes stay open as long as these do. Waiting for it would close its input.
    let _lines = lines;
    let _input = child.stdin.take();
    loop {
        let order = tokio::select! {
            _ended = child.wait() => return,
            order = orders.recv() => order,
        };
        match order {
            Some(Order::Stop) => terminate(&mut child),
            // Whoever gives no orders any more is gone.
            Some(Order::Kill) | None => {
                let _ended_already = child.start_kill();
            }
        }
    }
}

#[cfg(unix)]
fn terminate(child: &mut Child) {
    use rustix::process::{Pid, Signal, kill_process};

    let pid = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    if let Some(Err(error)) = pid.map(|pid| kill_process(pid, Signal::TERM)) {
        tracing::warn!(%error, "an instance cannot be asked to stop");
    }
}

/// Elsewhere there is no such signal.
#[cfg(not(unix))]
fn terminate(child: &mut Child) {
    let _ended_already = child.start_kill();
}
