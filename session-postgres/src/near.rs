use std::{sync::Arc, time::Duration};

use session_core::{NearCache, NearLink};
use sqlx::{AssertSqlSafe, postgres::PgListener};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{PostgresOptions, statement::fill_in};

/// How long instances are asked at a time to tell of changes, and how often.
const TOLD: Duration = Duration::from_secs(60);
const ASKED: Duration = Duration::from_secs(20);

/// The most that a statement of another instance may take beyond what this one allows its own.
const ALLOWANCE: Duration = Duration::from_millis(500);

/// A near cache's side of the listener.
///
/// Instances tell of changes only while somebody wants to know. So a connection that listens asks them to, and opens the
/// cache's link once all statements are over that began before: then each change is told, or is known to every load.
pub(crate) struct Near {
    pub(crate) cache: NearCache,
    ask: Arc<str>,
    statement_timeout: Duration,
}

/// What one connection that listens does for the cache.
pub(crate) struct NearEar<'a> {
    near: &'a Near,
    asked: Instant,
    opens: Instant,
    link: Option<NearLink>,
}

impl Near {
    pub(crate) fn new(options: &PostgresOptions) -> Option<Self> {
        Some(Self {
            cache: NearCache::new(options.near_cache?, options.near_cache_lease),
            ask: fill_in(include_str!("statements/near_cache.sql"), &options.schema).into(),
            statement_timeout: options.command_timeout,
        })
    }

    /// Begins to ask.
    pub(crate) async fn begin(&self, listener: &mut PgListener) -> Result<NearEar<'_>, sqlx::Error> {
        let asked = Instant::now();
        let age = self.ask(listener).await?;
        let oldest = self.statement_timeout + ALLOWANCE;
        Ok(NearEar {
            near: self,
            asked,
            opens: Instant::now() + oldest.saturating_sub(age),
            link: None,
        })
    }

    /// How old the statements are that know of it.
    async fn ask(&self, listener: &mut PgListener) -> Result<Duration, sqlx::Error> {
        let id = Uuid::from_u128(self.cache.tag().into());
        let time = i64::try_from(TOLD.as_millis()).unwrap_or(i64::MAX);
        let ask = sqlx::query_scalar(AssertSqlSafe(Arc::clone(&self.ask)));
        let age: i64 = ask.bind(id).bind(time).fetch_one(listener).await?;
        Ok(Duration::from_millis(age.unsigned_abs()))
    }
}

impl NearEar<'_> {
    /// How long until the server is to be asked for a sign of life again.
    pub(crate) fn pause(&self, otherwise: Duration) -> Duration {
        match &self.link {
            Some(link) if !link.is_wanted() => otherwise,
            _ => otherwise.min(self.near.cache.lease() / 3),
        }
    }

    pub(crate) const fn link(&self) -> Option<&NearLink> {
        self.link.as_ref()
    }

    /// Asks instances again if it is time, and opens the link if it is. Whether it is too late.
    pub(crate) async fn keep(&mut self, listener: &mut PgListener) -> Result<bool, sqlx::Error> {
        let now = Instant::now();
        // This task may have slept for long.
        if now - self.asked > TOLD - ALLOWANCE {
            return Ok(true);
        }
        if now - self.asked > ASKED {
            self.near.ask(listener).await?;
            self.asked = now;
        }
        if self.link.is_none() && now > self.opens {
            self.link = Some(self.near.cache.link());
        }
        Ok(false)
    }

    /// The server has given a sign of life that it was asked for then, and all is passed on that it told before.
    pub(crate) fn prove(&self, sent: std::time::Instant) {
        if let Some(link) = &self.link {
            link.prove(sent);
        }
    }
}
