//! Growth: what changes when a store holds not a thousand sessions but a million.
//!
//! Two databases of a Redis, and two schemas of a PostgreSQL, one with few sessions and one with many, are asked the
//! same in turns: so what else the machine does, it does to both. Then expired sessions are purged among the many while
//! others are used, and an hour's touches come within about a minute.

mod compared;
mod crowd;
mod field;
mod ground;
mod latency;
mod member;
mod operation;
mod options;
mod postgres;
mod purge;
mod random;
mod redis;
mod report;
mod results;
mod served;
mod size;
mod together;
mod touches;

use std::time::Instant;

use tokio::runtime::Runtime;

pub(crate) use options::Options;

use self::{
    field::Field, ground::Ground, postgres::PostgresGround, redis::RedisGround, results::Results, touches::Touches,
};
use crate::{Failure, disk, machine::Machine, servers::Servers};

/// Runs it all, prints tables and writes files.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let start = Instant::now();
    let mut servers = Servers::start();
    let runtime = Runtime::new()?;
    let (redis, postgres) = runtime.block_on(servers.versions())?;
    let head = format!("{}{options}", Machine::look(redis, postgres, disk::flush_time()?));
    println!("{head}");
    if let Some(buffers) = &options.shared_buffers {
        runtime.block_on(postgres::set_shared_buffers(&servers.postgres(), buffers))?;
        servers.restart_postgres();
    }
    // The work is done where an app does it: in a task, on a thread of the runtime's.
    let results = runtime.block_on(all(options.clone(), servers.redis(), servers.postgres()))?;
    print!("{}", report::table(options, &results));
    if let Some(folder) = options.folder() {
        report::write(&folder, &head, options, &results)?;
    }
    eprintln!("done within {:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// Everything, store by store.
async fn all(options: Options, redis: String, postgres: String) -> Result<Results, Failure> {
    let measured = tokio::spawn(async move {
        let mut results = Results::default();
        let [few, many] = ["0", "1"].map(|database| format!("{redis}/{database}"));
        let grounds = [RedisGround::open(&few).await?, RedisGround::open(&many).await?];
        of_store(grounds, &options, &mut results).await?;
        let few = PostgresGround::open(&postgres, "few").await?;
        let many = PostgresGround::open(&postgres, "many").await?;
        of_store([few, many], &options, &mut results).await?;
        results.touches = Some(Touches::measure(&postgres, &options).await?);
        Ok::<_, Failure>(results)
    });
    measured.await?
}

/// All that both stores are asked.
async fn of_store<G: Ground>(grounds: [G; 2], options: &Options, results: &mut Results) -> Result<(), Failure> {
    let [few, many] = grounds;
    let counts = options.sessions();
    progress::<G>(&format!("fill with {} and {} sessions", counts[0], counts[1]));
    let mut fields = [Field::fill(few, counts[0]).await?, Field::fill(many, counts[1]).await?];
    results.sizes.extend(fields[1].sizes().await?);
    progress::<G>("one operation at a time");
    let latencies = latency::measure(&mut fields, options.turns()).await?;
    results.latencies.extend(latencies);
    progress::<G>("64 at once");
    let rates = together::measure(&mut fields, options.rounds()).await?;
    results.rates.extend(rates);
    progress::<G>("purge");
    let [_, many] = &mut fields;
    results.purges.push(purge::measure(many, options.expired()).await?);
    Ok(())
}

/// Which of the two comes first in a turn, and which then.
const fn by_turns(turn: usize) -> [usize; 2] {
    [turn % 2, 1 - turn % 2]
}

fn progress<G: Ground>(what: &str) {
    eprintln!("{:?}: {what}", G::BACKEND);
}
