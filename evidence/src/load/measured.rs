use std::{
    io,
    time::{Duration, Instant},
};

use tokio::time::sleep;

use super::connection::Connection;
use crate::fleet::{Fleet, Size};

/// How requests were answered, and what instances were like.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    pub(crate) yes: u64,
    pub(crate) refused: u64,
    latencies: Vec<Duration>,
    /// Of one instance: before, then, and after.
    pub(crate) sizes: Vec<Size>,
    /// What should not be.
    pub(crate) wrong: Vec<String>,
}

impl Measured {
    pub(super) async fn begin(fleet: &Fleet) -> io::Result<Self> {
        Ok(Self {
            sizes: vec![fleet.size().await?],
            ..Self::default()
        })
    }

    pub(super) async fn note_size(&mut self, fleet: &Fleet) -> io::Result<()> {
        self.sizes.push(fleet.size().await?);
        Ok(())
    }

    /// When connections are closed, tasks and files have to be what they were.
    pub(super) async fn end(mut self, fleet: &Fleet) -> io::Result<Self> {
        let before = self.sizes[0];
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut after = fleet.size().await?;
        while after.tasks > before.tasks + 2 && Instant::now() < deadline {
            sleep(Duration::from_millis(100)).await;
            after = fleet.size().await?;
        }
        if after.tasks > before.tasks + 2 || after.files > before.files + 4 {
            self.wrong.push(format!("{before:?} became {after:?}"));
        }
        self.sizes.push(after);
        self.latencies.sort_unstable();
        Ok(self)
    }

    /// Sends a request, and notes what came.
    pub(super) async fn note(&mut self, connection: &mut Connection, method: &str, path: &str) {
        let sent = Instant::now();
        let answer = connection.request(method, path).await;
        self.latencies.push(sent.elapsed());
        match answer {
            Ok((200, _)) => self.yes += 1,
            Ok((503, _)) => self.refused += 1,
            // Its login was refused.
            Ok((401, _)) => {}
            Ok((status, body)) => self.wrong.push(format!("{method} {path} was answered {status} {body}")),
            Err(error) => self.wrong.push(format!("{method} {path}: {error}")),
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.yes += other.yes;
        self.refused += other.refused;
        self.latencies.extend(other.latencies);
        self.wrong.extend(other.wrong);
    }

    /// What so many of a hundred took at most.
    pub(crate) fn quantile(&self, percent: usize) -> Duration {
        let place = (self.latencies.len() * percent / 100).min(self.latencies.len().saturating_sub(1));
        self.latencies.get(place).copied().unwrap_or_default()
    }
}
