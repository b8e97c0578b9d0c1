//! What keeps the instances running that should be.

mod commands;
mod crashes;
mod seat;

use std::{net::SocketAddr, time::Duration};

use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use uuid::Uuid;

use super::{
    console::{self, Command},
    kind::Kind,
    member::Member,
    roster::Roster,
    screen::Screen,
    watch::{News, Told, watch},
};
use crate::{Failure, chain, cli::FleetArgs, serve::Signal};

use commands::Unfinished;
use crashes::Crashes;
pub(super) use seat::Row;
use seat::{Phase, Seat};

/// How often the fleet looks for what is typed, and for what has to be done.
const TICK: Duration = Duration::from_millis(50);

/// Runs instances: starts what should be there, ends what should not, and keeps the roster of those that are ready.
pub(super) struct Platform {
    kind: Kind,
    front: SocketAddr,
    roster: Roster,
    seats: Vec<Seat>,
    /// How many deploys have begun: what is started from now on is of this generation.
    generation: u32,
    /// The numbers of instances that crashed and have no successor, and when they are started again.
    crashed: Vec<(u32, Instant)>,
    crashes: Crashes,
    news: (mpsc::Sender<News>, mpsc::Receiver<News>),
    screen: Screen,
}

impl Platform {
    pub(super) async fn new(
        args: &FleetArgs,
        roster: Roster,
        front: SocketAddr,
        screen: Screen,
    ) -> Result<Self, Failure> {
        Ok(Self {
            kind: Kind::of(args).await?,
            front,
            roster,
            seats: Vec::new(),
            generation: 0,
            crashed: Vec::new(),
            crashes: Crashes::default(),
            news: mpsc::channel(64),
            screen,
        })
    }

    /// Runs the fleet until it is to stop.
    pub(super) async fn run(&mut self, args: &FleetArgs, stop: Signal) -> Result<(), Failure> {
        match self.begin(args, &stop).await {
            Ok(()) => {}
            Err(Unfinished::Stopping) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        let mut lines = console::lines();
        while !stop.has_come() {
            self.look_after().await;
            let Ok(line) = lines.try_recv() else {
                continue;
            };
            self.screen.typed();
            if let Err(error) = self.obey_line(&line, &stop).await {
                self.screen.say(&chain(error.as_ref()));
            }
        }
        Ok(())
    }

    /// Starts what the arguments ask for, and does the commands among them.
    async fn begin(&mut self, args: &FleetArgs, stop: &Signal) -> Result<(), Unfinished> {
        self.obey(Command::Scale(args.instances), stop).await?;
        self.screen.say(&format!("open http://{}", browsable(self.front)));
        for command in &args.run {
            self.obey(*command, stop).await?;
        }
        Ok(())
    }

    async fn obey_line(&mut self, line: &str, stop: &Signal) -> Result<(), Failure> {
        if line.trim().is_empty() {
            return Ok(());
        }
        Ok(self.obey(line.parse()?, stop).await?)
    }

    /// Starts an instance, also instead of one that crashed.
    async fn start(&mut self, index: u32) -> Result<(), Unfinished> {
        let guid = Uuid::new_v4().to_string();
        let member = Member::start(&self.kind, index, guid.clone(), self.front, &self.screen)
            .await
            .map_err(Unfinished::NotStarted)?;
        self.crashed.retain(|(crashed, _)| *crashed != index);
        self.screen
            .say(&format!("instance {index} listens on http://{}", member.address));
        let watcher = tokio::spawn(watch(guid.clone(), member.address, self.news.0.clone()));
        self.seats.push(Seat {
            member,
            generation: self.generation,
            phase: Phase::Starting,
            status: None,
            watcher,
        });
        Ok(())
    }

    /// Sends these instances no more requests, and asks them to end.
    fn retire_where(&mut self, which: impl Fn(&Seat) -> bool) {
        for seat in self.seats.iter_mut().filter(|seat| which(seat)) {
            seat.phase = Phase::Stopping;
            seat.member.stop();
            self.roster.remove(seat.member.address);
        }
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
        let Some(seat) = self.seats.iter_mut().find(|seat| seat.member.guid == news.guid) else {
            return;
        };
        let (index, address) = (seat.member.index, seat.member.address);
        match (news.told, seat.phase) {
            (Told::Status(status), _) => seat.status = Some(status),
            (Told::Ready(true), Phase::Starting | Phase::Unready) => {
                seat.phase = Phase::Ready;
                self.roster.add(address);
            }
            (Told::Ready(false), Phase::Ready) => {
                seat.phase = Phase::Unready;
                self.roster.remove(address);
                self.screen.say(&format!("instance {index} is not ready any more"));
            }
            (Told::Ready(_), _) => {}
        }
    }

    /// Takes instances that have ended off the list; what was not asked to will be started again.
    fn bury(&mut self) {
        let ended: Vec<Seat> = self.seats.extract_if(.., |seat| seat.member.has_ended()).collect();
        for Seat {
            member, phase, watcher, ..
        } in ended
        {
            watcher.abort();
            self.roster.remove(member.address);
            let index = member.index;
            if phase == Phase::Stopping {
                self.screen.say(&format!("instance {index} has stopped"));
                continue;
            }
            let at = self.crashes.add(index);
            // During a deploy its successor may run already, or both may have crashed.
            if self.newest(index).is_some() || self.crashed.iter().any(|(crashed, _)| *crashed == index) {
                self.screen.say(&format!("instance {index} has ended"));
                continue;
            }
            self.crashed.push((index, at));
            self.screen
                .say(&format!("instance {index} has ended, and is started again"));
        }
    }

    async fn revive(&mut self) {
        let now = Instant::now();
        let due: Vec<_> = self.crashed.extract_if(.., |(_, at)| *at <= now).collect();
        for (index, _) in due {
            if let Err(error) = self.start(index).await {
                tracing::warn!("{}", chain(&error));
                self.crashed.push((index, Crashes::later()));
            }
        }
    }

    /// The instances with this number that are not about to end: one, and during a deploy two.
    fn active(&self, index: u32) -> impl Iterator<Item = &Seat> {
        let seats = self.seats.iter();
        seats.filter(move |seat| seat.member.index == index && seat.phase != Phase::Stopping)
    }

    /// The one of them that is of the newest generation.
    fn newest(&self, index: u32) -> Option<&Seat> {
        self.active(index).find(|seat| seat.generation == self.generation)
    }

    /// Whether that one is ready.
    fn is_ready(&self, index: u32) -> bool {
        self.newest(index).is_some_and(|seat| seat.phase == Phase::Ready)
    }

    /// Whether an instance with this number has still to end.
    fn is_stopping(&self, index: u32) -> bool {
        let mut seats = self.seats.iter();
        seats.any(|seat| seat.member.index == index && seat.phase == Phase::Stopping)
    }

    fn is_any_stopping(&self) -> bool {
        self.seats.iter().any(|seat| seat.phase == Phase::Stopping)
    }

    /// The instances of before the newest deploy that are not about to end.
    fn old(&self) -> impl Iterator<Item = &Seat> {
        let active = self.seats.iter().filter(|seat| seat.phase != Phase::Stopping);
        active.filter(|seat| seat.generation < self.generation)
    }

    /// How many instances of the newest deploy are ready.
    fn ready_new(&self) -> usize {
        let new = self.seats.iter().filter(|seat| seat.generation == self.generation);
        new.filter(|seat| seat.phase == Phase::Ready).count()
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

/// An address that a browser on this machine can open: a listener on all addresses has none of its own.
fn browsable(address: SocketAddr) -> String {
    match address.ip() {
        ip if ip.is_loopback() || ip.is_unspecified() => format!("localhost:{}", address.port()),
        _ => address.to_string(),
    }
}
