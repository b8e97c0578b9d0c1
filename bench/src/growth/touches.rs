use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use session_core::{SessionId, SessionStore};
use sqlx::{Executor, Row};
use tokio::{task::JoinSet, time::sleep};

use super::{Field, Ground, Options, PostgresGround, size::Size};
use crate::{Failure, load::CONNECTIONS};

/// What an hour's touches make of a table: all of its sessions in use all the time.
#[derive(Debug)]
pub(super) struct Touches {
    pub(super) sessions: usize,
    pub(super) each: usize,
    /// How long it took, in seconds.
    pub(super) took: f64,
    /// The table and its indexes before,
    pub(super) before: Vec<Size>,
    /// and after it.
    pub(super) after: Vec<Size>,
    pub(super) counts: Counts,
}

/// What the server has counted meanwhile.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counts {
    /// Rows that were changed,
    pub(super) changed: i64,
    /// and those of them whose change touched no index (HOT).
    pub(super) hot: i64,
    /// Versions of rows that are left and that nobody sees.
    pub(super) dead: i64,
    /// How often the autovacuum came.
    pub(super) vacuums: i64,
}

impl Touches {
    /// In a schema of its own on this server.
    pub(super) async fn measure(url: &str, options: &Options) -> Result<Self, Failure> {
        let (sessions, each) = options.touches();
        super::progress::<PostgresGround>(&format!("{each} touches of {sessions} sessions"));
        let mut ground = PostgresGround::open(url, "touched").await?;
        // It comes to see once a minute: an hour within a minute takes a visit a second.
        ground
            .connection
            .execute("ALTER SYSTEM SET autovacuum_naptime = '1s'")
            .await?;
        ground.connection.execute("SELECT pg_reload_conf()").await?;
        let field = Field::fill(ground, sessions).await?;
        let (store, ids) = (field.store(), field.ids());
        let mut ground = field.into_ground();
        let (before, counted) = (ground.sizes().await?, ground.counts().await?);
        let start = Instant::now();
        touch(&store, &ids, each).await?;
        let took = start.elapsed().as_secs_f64();
        let touched = counted.changed + i64::try_from(sessions * each)?;
        let counts = ground.counts_from(touched).await?;
        Ok(Self {
            sessions,
            each,
            took,
            before,
            after: ground.sizes().await?,
            counts: Counts {
                changed: counts.changed - counted.changed,
                hot: counts.hot - counted.hot,
                vacuums: counts.vacuums - counted.vacuums,
                ..counts
            },
        })
    }

    /// The share of changes that touched no index.
    pub(super) fn hot_share(&self) -> f64 {
        self.counts.hot as f64 / self.counts.changed as f64
    }
}

/// Touches each session so often, one round after the other, 64 at once.
async fn touch(store: &(impl SessionStore + Clone), ids: &Arc<[SessionId]>, each: usize) -> Result<(), Failure> {
    for _ in 0..each {
        let mut tasks = JoinSet::new();
        for first in 0..CONNECTIONS {
            let (store, ids) = (store.clone(), Arc::clone(ids));
            tasks.spawn(async move {
                for id in ids.iter().skip(first).step_by(CONNECTIONS) {
                    store.touch(id).await?;
                }
                Ok::<_, Failure>(())
            });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
    }
    Ok(())
}

impl PostgresGround {
    async fn counts(&mut self) -> Result<Counts, Failure> {
        let counts = sqlx::query(
            "SELECT n_tup_upd, n_tup_hot_upd, n_dead_tup, autovacuum_count FROM pg_stat_user_tables \
             WHERE schemaname = $1 AND relname = 'session'",
        );
        let row = self.connection.fetch_one(counts.bind(self.schema())).await?;
        Ok(Counts {
            changed: row.try_get(0)?,
            hot: row.try_get(1)?,
            dead: row.try_get(2)?,
            vacuums: row.try_get(3)?,
        })
    }

    /// The same, as soon as so many changes have been counted: connections report a little late.
    async fn counts_from(&mut self, changed: i64) -> Result<Counts, Failure> {
        for _ in 0..300 {
            let counts = self.counts().await?;
            if counts.changed >= changed {
                return Ok(counts);
            }
            sleep(Duration::from_millis(100)).await;
        }
        Err(format!("fewer than {changed} changes were counted").into())
    }
}
