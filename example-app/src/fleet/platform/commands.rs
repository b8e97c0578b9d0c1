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

    /// One number after the other, a new instance starts beside the old one, and takes over when it is ready.
    ///
    /// Either may crash meanwhile. What is started again during the deploy is a new one, whichever it was.
    async fn roll(&mut self) -> Result<(), Unfinished> {
        self.generation += 1;
        let running = self.seats.iter().filter(|seat| seat.phase != Phase::Stopping);
        let crashed = self.crashed.iter().map(|(index, _)| *index);
        let indexes: BTreeSet<u32> = running.map(|seat| seat.member.index).chain(crashed).collect();
        for index in indexes.iter().copied() {
            if self.newest(index).is_none() {
                self.start(index).await?;
            }
            if let Err(late) = self.until(|platform| platform.is_ready(index)).await {
                self.roll_back(index);
                return Err(late);
            }
            let newest = self.generation;
            self.retire_where(|seat| seat.member.index == index && seat.generation < newest);
            self.until(|platform| !platform.is_stopping(index)).await?;
        }
        self.until(|platform| platform.is_settled()).await?;
        self.screen.say(&match indexes.len() {
            1 => "1 instance was replaced".to_owned(),
            count => format!("{count} instances were replaced"),
        });
        Ok(())
    }

    /// Leaves a number to its old instance, if that is still there.
    fn roll_back(&mut self, index: u32) {
        let newest = self.generation;
        if self.active(index).any(|seat| seat.generation < newest) {
            self.retire_where(|seat| seat.member.index == index && seat.generation == newest);
            self.crashed.retain(|(crashed, _)| *crashed != index);
        }
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
