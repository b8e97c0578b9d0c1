use std::{env, net::SocketAddr, path::PathBuf, process::Stdio};

use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    net::TcpListener,
    process::{Child, ChildStdout, Command},
    sync::mpsc,
    task::JoinHandle,
};

use super::{environment, variables::Variables};
use crate::{
    Failure, chain,
    cli::FleetArgs,
    serve::{self, Forwarded, Instance, Running},
    store::{Place, Source, Store},
};

/// How instances are run.
#[derive(Debug)]
pub(super) enum Kind {
    /// In this process, for memory is shared within one.
    Tasks { store: Store, instance: Instance },
    /// Each in a process of its own, told what all are told by these variables.
    Processes { variables: Variables },
}

impl Kind {
    /// What the arguments ask for. The store is tried once: what is wrong with it is better told once than by each
    /// instance.
    pub(super) async fn of(args: &FleetArgs) -> Result<Self, Failure> {
        let source = match &args.vcap_services {
            Some(path) => Source::in_file(path)?,
            None => Source::of(&args.store)?,
        };
        let store = Place::of(&source, &args.store)?.connect().await?;
        Ok(match store {
            Store::Memory(_) => Self::Tasks {
                store,
                instance: Instance {
                    name: String::new(),
                    index: None,
                    cookies: args.cookies,
                    sessions: args.sessions,
                    store_timeout: args.store.timeout,
                    // The balancer.
                    forwarded: Forwarded { hops: 1 },
                },
            },
            Store::Postgres(_) | Store::Redis(_) => Self::Processes {
                variables: environment::of_fleet(args, &source),
            },
        })
    }
}

/// One running instance.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) index: u32,
    pub(super) guid: String,
    pub(super) address: SocketAddr,
    orders: mpsc::UnboundedSender<Order>,
    life: JoinHandle<()>,
}

#[derive(Debug)]
enum Order {
    Stop,
    Kill,
}

/// An instance that ended before it said where it listens.
#[derive(Debug, thiserror::Error)]
#[error("instance {0} ended at once; what it said is above")]
struct NeverListened(u32);

impl Member {
    /// Starts an instance, which listens when this returns.
    pub(super) async fn start(kind: &Kind, index: u32, guid: String, front: SocketAddr) -> Result<Self, Failure> {
        let (orders, received) = mpsc::unbounded_channel();
        let (address, life) = match kind {
            Kind::Tasks { store, instance } => {
                let listener = TcpListener::bind("127.0.0.1:0").await?;
                let instance = Instance {
                    name: index.to_string(),
                    index: Some(index),
                    ..instance.clone()
                };
                let (running, signal) = serve::channel();
                let address = listener.local_addr()?;
                let task = tokio::spawn(instance.serve(store.clone(), listener, signal));
                (address, tokio::spawn(lead_task(task, running, received)))
            }
            Kind::Processes { variables } => {
                let mut command = command()?;
                variables.give_to(&mut command);
                environment::of_instance(index, &guid, front).give_to(&mut command);
                let mut child = command.spawn()?;
                let mut lines = child.stdout.take().map(|output| BufReader::new(output).lines());
                let Some(address) = listens_on(lines.as_mut()).await else {
                    child.wait().await?;
                    return Err(NeverListened(index).into());
                };
                (address, tokio::spawn(lead_process(child, lines, received)))
            }
        };
        Ok(Self {
            index,
            guid,
            address,
            orders,
            life,
        })
    }

    /// Asks it to finish and end.
    pub(super) fn stop(&self) {
        let _ended_already = self.orders.send(Order::Stop);
    }

    /// Ends it.
    pub(super) fn kill(&self) {
        let _ended_already = self.orders.send(Order::Kill);
    }

    pub(super) fn has_ended(&self) -> bool {
        self.life.is_finished()
    }
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

async fn lead_process(
    mut child: Child,
    lines: Option<Lines<BufReader<ChildStdout>>>,
    mut orders: mpsc::UnboundedReceiver<Order>,
) {
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

async fn lead_task(
    mut task: JoinHandle<Result<(), Failure>>,
    running: Running,
    mut orders: mpsc::UnboundedReceiver<Order>,
) {
    let mut running = Some(running);
    loop {
        let order = tokio::select! {
            ended = &mut task => {
                if let Ok(Err(failure)) = ended {
                    tracing::error!("an instance has ended: {}", chain(failure.as_ref()));
                }
                return;
            }
            order = orders.recv() => order,
        };
        match order {
            Some(Order::Stop) => drop(running.take()),
            Some(Order::Kill) | None => task.abort(),
        }
    }
}

/// How a member does, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Starting,
    Ready,
    Stopping,
}
