//! An instance in a process of its own.

use std::{env, net::SocketAddr, path::PathBuf, process::Stdio};

use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    task::JoinHandle,
};

use super::Container;
use crate::{
    Failure,
    fleet::{screen::Screen, variables::Variables},
};

/// An instance that ended before it said where it listens.
#[derive(Debug, thiserror::Error)]
#[error("instance {0} ended at once; what it said is above")]
struct NeverListened(u32);

/// An instance and its ends of the pipes, which stay open as long as it runs.
pub(super) struct Process {
    child: Child,
    _input: Option<ChildStdin>,
    _output: Option<Lines<BufReader<ChildStdout>>>,
    /// What it logs is passed on, to its end.
    log: Option<JoinHandle<()>>,
}

/// Starts it with these variables. Where it listens, and its life.
pub(super) async fn start(
    index: u32,
    variables: [&Variables; 2],
    screen: &Screen,
) -> Result<(SocketAddr, Process), Failure> {
    let mut command = command()?;
    for variables in variables {
        variables.give_to(&mut command);
    }
    let mut child = command.spawn()?;
    let mut output = child.stdout.take().map(|output| BufReader::new(output).lines());
    let errors = child.stderr.take();
    let log = errors.map(|errors| tokio::spawn(pass_on(errors, screen.clone())));
    let address = listens_on(output.as_mut()).await;
    let mut process = Process {
        // Waiting for it would close it.
        _input: child.stdin.take(),
        _output: output,
        child,
        log,
    };
    match address {
        Some(address) => Ok((address, process)),
        None => {
            process.ended().await;
            Err(NeverListened(index).into())
        }
    }
}

fn command() -> Result<Command, Failure> {
    let program: PathBuf = env::current_exe()?;
    let mut command = Command::new(program);
    command
        // What they are told of a platform does not make them listen to others than the balancer.
        .args(["serve", "--until-stdin-ends", "--host", "127.0.0.1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    Ok(command)
}

async fn listens_on(lines: Option<&mut Lines<BufReader<ChildStdout>>>) -> Option<SocketAddr> {
    let line = lines?.next_line().await.ok()??;
    line.rsplit_once("http://")?.1.parse().ok()
}

async fn pass_on(errors: ChildStderr, screen: Screen) {
    let mut lines = BufReader::new(errors).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        screen.log(&format!("{line}\n"));
    }
}

impl Container for Process {
    async fn ended(&mut self) {
        let _status = self.child.wait().await;
        if let Some(log) = &mut self.log {
            let _panicked = log.await;
        }
        self.log = None;
    }

    fn stop(&mut self) {
        terminate(&self.child);
    }

    fn kill(&mut self) {
        let _ended_already = self.child.start_kill();
    }
}

#[cfg(unix)]
fn terminate(child: &Child) {
    use rustix::process::{Pid, Signal, kill_process};

    let pid = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    if let Some(Err(error)) = pid.map(|pid| kill_process(pid, Signal::TERM)) {
        tracing::warn!(%error, "an instance cannot be asked to stop");
    }
}

/// Elsewhere there is no such signal, and it is killed after its time.
#[cfg(not(unix))]
fn terminate(_child: &Child) {}
