//! One operation at a time, within this process: what a store takes, beside what its driver takes for the same command.

mod driver;
mod line;
mod operation;
mod postgres;
mod redis;
mod scene;

use std::{
    process::{self, Command},
    time::Instant,
};

use session_core::SessionStore;
use session_postgres::{PostgresOptions, PostgresStore};
use session_redis::RedisStore;
use tokio::runtime::Runtime;

pub(crate) use line::Line;
pub(crate) use operation::{new_session, page};

use self::{driver::Driver, operation::Operation, postgres::PostgresDriver, redis::RedisDriver, scene::Scene};
use crate::{Failure, quartiles::Quartiles, run::Options, servers::Servers, variant::Backend};

/// How many of each are done in a turn. A turn counts with its median.
const TURN: usize = 20;

/// Turns for each round of the benchmark.
const TURNS: usize = 5;

/// Measures all operations on both servers.
pub(crate) fn measure(options: &Options, servers: &mut Servers) -> Result<Vec<Line>, Failure> {
    let turns = options.rounds() * TURNS;
    stay_on_one_processor();
    let runtime = Runtime::new()?;
    let (redis, postgres) = (servers.redis(), servers.postgres());
    runtime.block_on(postgres::show_whole_statements(&postgres))?;
    servers.restart_postgres();
    runtime.block_on(async {
        // The work is done where an app does it: in a task, on a thread of the runtime's.
        let lines = tokio::spawn(async move {
            let store = RedisStore::connect(redis.as_str()).await?;
            let driver = RedisDriver::connect(&redis, &store).await?;
            let mut lines = of_store(Backend::Redis, &store, driver, turns).await?;
            // So that it is clear which connection sends what.
            let options = PostgresOptions::from_url(&postgres)?.connections(1);
            let store = PostgresStore::connect(options).await?;
            store.migrate().await?;
            let driver = PostgresDriver::connect(&postgres, &store).await?;
            lines.extend(of_store(Backend::Postgres, &store, driver, turns).await?);
            Ok::<_, Failure>(lines)
        });
        lines.await?
    })
}

/// Has this process and the PostgreSQL that it starts again share a processor: how long a round trip takes depends on
/// where the kernel puts a connection's process more than on anything else.
fn stay_on_one_processor() {
    let own = process::id().to_string();
    let mut taskset = Command::new("taskset");
    let told = taskset.args(["--all-tasks", "--cpu-list", "--pid", "0", &own]).output();
    if !told.is_ok_and(|told| told.status.success()) {
        eprintln!("taskset does not work here: what Postgres takes, and its driver, is a matter of luck");
    }
}

async fn of_store(
    backend: Backend,
    store: &impl SessionStore,
    mut driver: impl Driver,
    turns: usize,
) -> Result<Vec<Line>, Failure> {
    let mut lines = Vec::new();
    for operation in Operation::ALL {
        let (mut ours, mut raw, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..turns {
            let own = turn(store, operation, None::<&mut RedisDriver>).await?;
            let other = turn(store, operation, Some(&mut driver)).await?;
            ours.push(own);
            raw.push(other);
            ratios.push(own / other);
        }
        let [Some(ours), Some(driver), Some(ratio)] = [ours, raw, ratios].map(Quartiles::of) else {
            continue;
        };
        lines.push(Line {
            backend,
            operation,
            ours,
            driver,
            ratio,
        });
    }
    Ok(lines)
}

/// The median of a turn, in microseconds: by the driver if there is one, else by the store.
async fn turn(
    store: &impl SessionStore,
    operation: Operation,
    mut driver: Option<&mut impl Driver>,
) -> Result<f64, Failure> {
    let mut times = Vec::new();
    for _ in 0..TURN {
        let scene = Scene::set(store, operation).await?;
        let time = match &mut driver {
            Some(driver) => driver.perform(operation, &scene).await?,
            None => {
                let start = Instant::now();
                operation.perform(store, &scene).await?;
                start.elapsed()
            }
        };
        times.push(time.as_secs_f64() * 1e6);
    }
    Ok(Quartiles::of(times).map_or(0.0, |times| times.median))
}
