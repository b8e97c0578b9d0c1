use std::{net::SocketAddr, time::Duration};

use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, sleep_until},
};
use uuid::Uuid;

use super::{
    console::{self, Command},
    member::{Kind, Member, Phase},
    roster::Roster,
    screen::Screen,
    watch::{News, watch},
};
use crate::{
    Failure, chain,
    cli::FleetArgs,
    serve::{Signal, Status},
};

/// How often the fleet looks for what is typed, and for what has to be done.
const TICK: Duration = Duration::from_millis(50);

/// How long a command may take. An instance that is not ready by then stays out.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often an instance that crashes is started again at once; after that it waits.
const CRASHES: u32 = 3;
const BACK_OFF: Duration = Duration::from_secs(5);

/// Runs instances: starts what should be there, ends what should not, and keeps the roster of those that are ready.
pub(super) struct Platform {
    kind: Kind,
    front: SocketAddr,
    roster: Roster,
    seats: Vec<Seat>,
    /// Instances that crashed, and when they are started again.
    crashed: Vec<(u32, Instant)>,
    crashes: u32,
    news: (mpsc::Sender<News>, mpsc::Receiver<News>),
    screen: Screen,
}

/// An instance and what is known of it.
#[derive(Debug)]
struct Seat {
    member: Member,
    phase: Phase,
    status: Option<Status>,
    watcher: JoinHandle<()>,
}

/// A line of the table.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) index: u32,
    pub(super) state: &'static str,
    pub(super) address: SocketAddr,
    pub(super) requests: u64,
    pub(super) sessions: usize,
    pub(super) store: String,
}

/// Why a command was not done to its end.
#[derive(Debug, thiserror::Error)]
enum Unfinished {
    #[error("the fleet is stopping")]
    Stopping,
    #[error("it takes longer than {PATIENCE:?}: see what the instances say")]
    Late,
    #[error("there is no instance {0}")]
    NoInstance(u32),
    #[error("an instance cannot be started")]
    NotStarted(#[source] Failure),
}

impl Platform {
    pub(super) async fn new(args: &FleetArgs, roster: Roster, front: SocketAddr) -> Result<Self, Failure> {
        Ok(Self {
            kind: Kind::of(args).await?,
            front,
            roster,
            seats: Vec::new(),
            crashed: Vec::new(),
            crashes: 0,
            news: mpsc::channel(64),
            screen: Screen::new(),
        })
    }

    /// Runs the fleet until it is to stop.
    pub(super) async fn run(&mut self, args: &FleetArgs, stop: Signal) -> Result<(), Failure> {
        let mut lines = console::lines();
        let first = Command::Scale(args.instances);
        for command in std::iter::once(first).chain(args.run.iter().copied()) {
            match self.obey(command, &stop).await {
                Ok(()) => {}
                Err(Unfinished::Stopping) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
            if command == first {
                self.screen.say(&format!("open http://{}", browsable(self.front)));
            }
        }
        while !stop.has_come() {
            self.look_after().await;
            let Ok(line) = lines.try_recv() else {
                continue;
            };
            self.screen.typed();
            let done = match line.parse() {
                Ok(command) => self.obey(command, &stop).await.map_err(Failure::from),
                Err(_) if line.trim().is_empty() => Ok(()),
                Err(error) => Err(Failure::from(error)),
            };
            if let Err(error) = done {
                self.screen.say(&chain(error.as_ref()));
            }
        }
        Ok(())
    }

    /// Does a command, and returns when it is done.
    async fn obey(&mut self, command: Command, stop: &Signal) -> Result<(), Unfinished> {
        let done = async {
            match command {
                Command::Scale(count) => self.scale(count).await,
                Command::Restart(index) => self.restart(index).await,
                Command::Kill(index) => self.kill(index),
                Command::Roll => self.roll().await,
                Command::Status => {
                    let rows = self.rows();
                    self.screen.show(&rows);
                    Ok(())
                }
            }
        };
        tokio::select! {
            done = done => done,
            () = stop.clone().come() => Err(Unfinished::Stopping),
        }
    }

    async fn scale(&mut self, count: u32) -> Result<(), Unfinished> {
        for index in 0..count {
            if self.active(index).is_none() {
                self.start(index).await?;
            }
        }
        let surplus = self.seats.iter().filter(|seat| seat.member.index >= count);
        let surplus: Vec<String> = surplus.map(|seat| seat.member.guid.clone()).collect();
        for guid in &surplus {
            self.retire(guid);
        }
        self.crashed.retain(|(index, _)| *index < count);
        self.until(|platform| platform.is_settled()).await?;
        self.screen.say(&format!("{count} instances are ready"));
        Ok(())
    }

    async fn restart(&mut self, index: u32) -> Result<(), Unfinished> {
        let guid = self.active(index).ok_or(Unfinished::NoInstance(index))?;
        self.retire(&guid);
        self.until(|platform| platform.seat(&guid).is_none()).await?;
        let guid = self.start(index).await?;
        self.until(|platform| platform.is_ready(&guid)).await?;
        self.screen.say(&format!("instance {index} was restarted"));
        Ok(())
    }

    fn kill(&mut self, index: u32) -> Result<(), Unfinished> {
        let guid = self.active(index).ok_or(Unfinished::NoInstance(index))?;
        if let Some(seat) = self.seat(&guid) {
            seat.member.kill();
        }
        Ok(())
    }

    /// One by one, a new instance starts beside the old one, and takes over when it is ready.
    async fn roll(&mut self) -> Result<(), Unfinished> {
        let mut old: Vec<_> = self
            .seats
            .iter()
            .map(|seat| (seat.member.index, seat.member.guid.clone()))
            .collect();
        old.sort_unstable();
        for (index, guid) in &old {
            let new = self.start(*index).await?;
            if let Err(late) = self.until(|platform| platform.is_ready(&new)).await {
                // The old ones go on.
                self.retire(&new);
                return Err(late);
            }
            self.retire(guid);
            self.until(|platform| platform.seat(guid).is_none()).await?;
        }
        self.screen.say(&format!("{} instances were replaced", old.len()));
        Ok(())
    }

    /// Stops what is left.
    pub(super) async fn stop_all(&mut self) {
        let guids: Vec<String> = self.seats.iter().map(|seat| seat.member.guid.clone()).collect();
        for guid in &guids {
            self.retire(guid);
        }
        self.crashed.clear();
        if self.until(|platform| platform.seats.is_empty()).await.is_err() {
            tracing::warn!("some instances did not stop in time and are killed");
        }
    }

    /// Starts an instance; its guid.
    async fn start(&mut self, index: u32) -> Result<String, Unfinished> {
        let guid = Uuid::new_v4().to_string();
        let member = Member::start(&self.kind, index, guid.clone(), self.front)
            .await
            .map_err(Unfinished::NotStarted)?;
        self.screen
            .say(&format!("instance {index} listens on http://{}", member.address));
        let watcher = tokio::spawn(watch(guid.clone(), member.address, self.news.0.clone()));
        self.seats.push(Seat {
            member,
            phase: Phase::Starting,
            status: None,
            watcher,
        });
        Ok(guid)
    }

    /// Sends an instance no more requests, and asks it to end.
    fn retire(&mut self, guid: &str) {
        if let Some(seat) = self.seat_mut(guid) {
            seat.phase = Phase::Stopping;
            seat.member.stop();
            let address = seat.member.address;
            self.roster.remove(address);
        }
    }

    /// Looks after the instances until `done`.
    async fn until(&mut self, done: impl Fn(&Self) -> bool) -> Result<(), Unfinished> {
        let deadline = Instant::now() + PATIENCE;
        while !done(self) {
            if Instant::now() > deadline {
                return Err(Unfinished::Late);
            }
            self.look_after().await;
        }
        Ok(())
    }

    /// Takes the news of a tick, and does what they ask for.
    async fn look_after(&mut self) {
        let deadline = Instant::now() + TICK;
        loop {
            tokio::select! {
                Some(news) = self.news.1.recv() => self.hear(news),
                () = sleep_until(deadline) => break,
            }
        }
        self.bury();
        self.revive().await;
        let rows = self.rows();
        self.screen.keep(&rows);
    }

    fn hear(&mut self, news: News) {
        let Some(seat) = self.seat_mut(&news.guid) else {
            return;
        };
        match news.status {
            Some(status) => seat.status = Some(status),
            None if seat.phase == Phase::Starting => {
                seat.phase = Phase::Ready;
                let address = seat.member.address;
                self.roster.add(address);
            }
            None => {}
        }
    }

    /// Takes instances that have ended off the list; what was not asked to will be started again.
    fn bury(&mut self) {
        let ended = self.seats.extract_if(.., |seat| seat.member.has_ended());
        for Seat {
            member, phase, watcher, ..
        } in ended
        {
            watcher.abort();
            self.roster.remove(member.address);
            if phase != Phase::Stopping {
                self.crashes += 1;
                let pause = if self.crashes > CRASHES {
                    BACK_OFF
                } else {
                    Duration::ZERO
                };
                self.crashed.push((member.index, Instant::now() + pause));
                self.screen
                    .say(&format!("instance {} has ended, and is started again", member.index));
            }
        }
    }

    async fn revive(&mut self) {
        let now = Instant::now();
        let due: Vec<_> = self.crashed.extract_if(.., |(_, at)| *at <= now).collect();
        for (index, _) in due {
            if let Err(error) = self.start(index).await {
                tracing::warn!("{}", chain(&error));
                self.crashed.push((index, Instant::now() + BACK_OFF));
            }
        }
    }

    fn seat(&self, guid: &str) -> Option<&Seat> {
        self.seats.iter().find(|seat| seat.member.guid == guid)
    }

    fn seat_mut(&mut self, guid: &str) -> Option<&mut Seat> {
        self.seats.iter_mut().find(|seat| seat.member.guid == guid)
    }

    /// The instance with this number that is not about to end.
    fn active(&self, index: u32) -> Option<String> {
        let mut seats = self.seats.iter();
        let seat = seats.find(|seat| seat.member.index == index && seat.phase != Phase::Stopping);
        seat.map(|seat| seat.member.guid.clone())
    }

    fn is_ready(&self, guid: &str) -> bool {
        self.seat(guid).is_some_and(|seat| seat.phase == Phase::Ready)
    }

    fn is_settled(&self) -> bool {
        self.crashed.is_empty() && self.seats.iter().all(|seat| seat.phase == Phase::Ready)
    }

    fn rows(&self) -> Vec<Row> {
        let mut rows: Vec<Row> = self.seats.iter().map(Seat::row).collect();
        rows.sort_by_key(|row| row.index);
        rows
    }
}

impl Seat {
    fn row(&self) -> Row {
        let status = self.status.as_ref();
        Row {
            index: self.member.index,
            state: match self.phase {
                Phase::Starting => "starting",
                Phase::Ready => "ready",
                Phase::Stopping => "stopping",
            },
            address: self.member.address,
            requests: status.map_or(0, |status| status.requests),
            sessions: status.map_or(0, |status| status.sessions),
            store: status.map_or_else(String::new, |status| status.store.clone()),
        }
    }
}

/// An address that a browser on this machine can open: a listener on all addresses has none of its own.
fn browsable(address: SocketAddr) -> String {
    match address.ip() {
        ip if ip.is_loopback() || ip.is_unspecified() => format!("localhost:{}", address.port()),
        _ => address.to_string(),
    }
}
