use std::{error::Error as StdError, sync::Arc, time::Duration};

use session_core::{Error, NearCache, NearLink};
use sqlx::Row;
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    announcement::Announcement,
    connections::Connections,
    statement::{Statement, arguments, fill_in},
};

/// How long instances are asked at a time to tell of changes, and how often.
const TOLD: Duration = Duration::from_secs(60);
const ASKED: Duration = Duration::from_secs(20);

/// How soon again if that fails.
const AGAIN: Duration = Duration::from_secs(1);

/// The most that a statement of another instance may take beyond what this one allows its own.
const ALLOWANCE: Duration = Duration::from_millis(500);

/// A near cache's side of the listener.
///
/// Instances tell of changes only while somebody wants to know. So it asks them to, on one of the connections that all
/// changes are made on, and opens the cache's link once it has heard of that itself, and once all statements are over
/// that began before: then each change is told and heard, or is known to every load.
pub(crate) struct Near {
    pub(crate) cache: NearCache,
    connections: Arc<Connections>,
    ask: Statement,
}

/// What one connection that listens does for the cache.
pub(crate) struct NearEar<'a> {
    near: &'a Near,
    /// When to ask again.
    due: Instant,
    /// When the last question was asked, and whether it was heard.
    asked: Instant,
    is_heard: bool,
    /// When all statements know that somebody asks.
    opens: Instant,
    /// The link, and since when.
    link: Option<(NearLink, Instant)>,
    has_failed: bool,
}

impl Near {
    pub(crate) fn new(connections: &Arc<Connections>) -> Option<Self> {
        let options = connections.options();
        Some(Self {
            cache: NearCache::new(options.near_cache?, options.near_cache_lease),
            connections: Arc::clone(connections),
            ask: Statement {
                text: fill_in(include_str!("statements/near_cache.sql"), &options.schema).into(),
                writes: true,
            },
        })
    }

    pub(crate) fn begin(&self) -> NearEar<'_> {
        let now = Instant::now();
        NearEar {
            near: self,
            due: now,
            asked: now,
            is_heard: false,
            opens: now,
            link: None,
            has_failed: false,
        }
    }

    fn id(&self) -> Uuid {
        Uuid::from_u128(self.cache.tag().into())
    }

    /// How old the statements are that know that somebody asks.
    async fn ask(&self) -> Result<Duration, Error> {
        let deadline = Instant::now() + self.connections.options().command_timeout;
        let time = i64::try_from(TOLD.as_millis()).unwrap_or(i64::MAX);
        let rows = self.connections.fetch(&self.ask, arguments![self.id(), time], deadline);
        let rows = rows.await?;
        let age = rows.first().map_or(Ok(0), |row| row.try_get::<i64, _>("age"));
        let age = age.map_err(Error::unknown)?;
        Ok(Duration::from_millis(u64::try_from(age).unwrap_or(0)))
    }
}

impl NearEar<'_> {
    /// How long until the server is to be asked for a sign of life again.
    pub(crate) fn pause(&self, otherwise: Duration) -> Duration {
        match &self.link {
            Some((link, _)) if !link.is_wanted() => otherwise,
            _ => otherwise.min(self.near.cache.lease() / 3),
        }
    }

    /// Passes on what was told.
    pub(crate) fn hear(&mut self, announcement: &Announcement) {
        match (announcement, &self.link) {
            (Announcement::Asked(id), _) => self.is_heard |= *id == self.near.id(),
            (_, None) => {}
            (Announcement::Changed(id, Some(version)), Some((link, _))) => link.changed_to(id, *version),
            (
                Announcement::Ended(id) | Announcement::Renewed(id, _) | Announcement::Changed(id, None),
                Some((link, _)),
            ) => link.changed(id),
        }
    }

    /// Asks instances again if it is time, and opens the link if it is, or closes it.
    pub(crate) async fn keep(&mut self) {
        if self.due <= Instant::now() {
            self.ask().await;
        }
        let now = Instant::now();
        if now - self.asked > TOLD - ALLOWANCE {
            self.link = None;
        } else if self.link.is_none() && self.is_heard && now > self.opens {
            self.link = Some((self.near.cache.link(), now));
        }
    }

    async fn ask(&mut self) {
        if !self.is_heard {
            self.link = None;
        }
        self.is_heard = false;
        let now = Instant::now();
        match self.near.ask().await {
            Ok(age) => {
                let oldest = self.near.connections.options().command_timeout + ALLOWANCE;
                self.asked = now;
                self.due = now + ASKED;
                self.opens = Instant::now() + oldest.saturating_sub(age);
                // For a while nobody may have been told to tell.
                self.link = self.link.take().filter(|(_, since)| since.elapsed() <= age);
                self.has_failed = false;
            }
            Err(error) => {
                self.link = None;
                self.due = now + AGAIN;
                // Once is enough while it lasts.
                if !self.has_failed {
                    tracing::warn!(error = &error as &dyn StdError, "the near cache serves nothing");
                }
                self.has_failed = true;
            }
        }
    }

    /// The server has given a sign of life that it was asked for then, and all is passed on that it told before.
    pub(crate) fn prove(&self, sent: std::time::Instant) {
        if let Some((link, _)) = &self.link {
            link.prove(sent);
        }
    }
}
