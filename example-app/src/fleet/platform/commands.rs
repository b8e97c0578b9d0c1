use std::{collections::BTreeSet, time::Duration};

use tokio::time::Instant;

use super::{Phase, Platform, Seat, console::Command};
use crate::{Failure, serve::Signal};

/// How long a step of a command may take. An instance that is not ready by then stays out.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why a command was not done to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfinished {
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
    /// Does a command, and returns when it is done.
    pub(super) async fn obey(&mut self, command: Command, stop: &Signal) -> Result<(), Unfinished> {
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
            if self.active(index).next().is_none() {
                self.start(index).await?;
            }
        }
        self.retire_where(|seat| seat.member.index >= count);
        self.crashed.retain(|(index, _)| *index < count);
        self.until(|platform| platform.is_settled()).await?;
        self.screen.say(&match count {
            1 => "1 instance is ready".to_owned(),
            _ => format!("{count} instances are ready"),
        });
        Ok(())
    }

    async fn restart(&mut self, index: u32) -> Result<(), Unfinished> {
        self.find(index)?;
        self.retire_where(|seat| seat.member.index == index);
        self.until(|platform| !platform.is_stopping(index)).await?;
        self.start(index).await?;
        self.until(|platform| platform.is_ready(index)).await?;
        self.screen.say(&format!("instance {index} was restarted"));
        Ok(())
    }

    fn kill(&self, index: u32) -> Result<(), Unfinished> {
        self.find(index)?.member.kill();
        Ok(())
    }

    /// New instances start beside the old ones, numbered from 0, one after the other. For each that is ready an old one
    /// goes, those with the highest numbers first; so there are two with the number 0 until the end.
    ///
    /// Either may crash meanwhile. What is started again during the deploy is a new one, whichever it was.
    async fn roll(&mut self) -> Result<(), Unfinished> {
        let running = self.seats.iter().filter(|seat| seat.phase != Phase::Stopping);
        let crashed = self.crashed.iter().map(|(index, _)| *index);
        let indexes: BTreeSet<u32> = running.map(|seat| seat.member.index).chain(crashed).collect();
        self.generation += 1;
        for index in indexes.iter().copied() {
            if self.newest(index).is_none() {
                self.start(index).await?;
            }
            if let Err(late) = self.until(|platform| platform.is_ready(index)).await {
                self.roll_back(&indexes).await?;
                return Err(late);
            }
            self.retire_old_but(indexes.len().saturating_sub(self.ready_new()));
            self.until(|platform| !platform.is_any_stopping()).await?;
        }
        self.until(|platform| platform.is_settled()).await?;
        self.screen.say(&match indexes.len() {
            1 => "1 instance was replaced".to_owned(),
            count => format!("{count} instances were replaced"),
        });
        Ok(())
    }

    /// Leaves so many instances of before the deploy, those with the lowest numbers.
    fn retire_old_but(&mut self, count: usize) {
        let newest = self.generation;
        let mut old: Vec<u32> = self.old().map(|seat| seat.member.index).collect();
        old.sort_unstable();
        let surplus = old.split_off(count.min(old.len()));
        self.retire_where(|seat| seat.generation < newest && surplus.contains(&seat.member.index));
    }

    /// Gives each number that still has an old instance back to it; the other numbers get or keep a new one.
    async fn roll_back(&mut self, indexes: &BTreeSet<u32>) -> Result<(), Unfinished> {
        let newest = self.generation;
        let old: BTreeSet<u32> = self.old().map(|seat| seat.member.index).collect();
        self.retire_where(|seat| seat.generation == newest && old.contains(&seat.member.index));
        self.crashed.retain(|(crashed, _)| !old.contains(crashed));
        for index in indexes.iter().copied() {
            if self.active(index).next().is_none() {
                self.start(index).await?;
            }
        }
        Ok(())
    }

    /// Stops what is left.
    pub(in crate::fleet) async fn stop_all(&mut self) {
        self.retire_where(|_| true);
        self.crashed.clear();
        if self.until(|platform| platform.seats.is_empty()).await.is_err() {
            tracing::warn!("some instances did not stop in time and are killed");
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

    /// The instance with this number, which serves if any does.
    fn find(&self, index: u32) -> Result<&Seat, Unfinished> {
        let seat = self.newest(index).or_else(|| self.active(index).next());
        seat.ok_or(Unfinished::NoInstance(index))
    }
}
