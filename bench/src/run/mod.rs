//! The turns: every variant does every workload, for a fraction of a second each, again and again.

mod options;
mod plan;
mod process;
mod row;
mod samples;
mod target;

use std::{collections::BTreeMap, time::Duration};

pub(crate) use options::Options;
pub(crate) use process::Process;
pub(crate) use row::Row;
use tokio::runtime::Runtime;

use self::{plan::plan, samples::Samples, target::Target};
use crate::{
    Failure, alone, disk, instructions, load::Order, machine::Machine, report, servers::Servers, variant::Variant,
};

/// How many browsers are logged in, for each size of record.
const SESSIONS: usize = 500;

/// How long the bare route is measured beside each workload.
const BARE: Duration = Duration::from_millis(100);

/// Runs the whole benchmark, prints its tables and writes its files.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    if options.are_for_instructions() {
        print!("{}", report::instructions(&instructions::count()?));
        return Ok(());
    }
    let mut servers = Servers::start();
    let (redis, postgres) = Runtime::new()?.block_on(servers.versions())?;
    let machine = Machine::look(redis, postgres, disk::flush_time()?);
    println!("{machine}");
    if options.are_for_alone() {
        let lines = alone::measure(options, &mut servers)?;
        print!("{}", report::alone(&lines));
        return report::write_alone(&Options::results(), &format!("{machine}{options}"), &lines);
    }
    let rows = side_by_side(options, &servers)?;
    print!("{}", report::side_by_side(&rows));
    let lines = alone::measure(options, &mut servers)?;
    print!("{}", report::alone(&lines));
    let plain = instructions::count()?;
    print!("{}", report::instructions(&plain));
    if let Some(folder) = options.folder() {
        report::write(&folder, &format!("{machine}{options}"), &rows, &lines, &plain)?;
    }
    Ok(())
}

fn side_by_side(options: &Options, servers: &Servers) -> Result<Vec<Row>, Failure> {
    let mut targets = Vec::new();
    for variant in options.variants() {
        let mut target = Target::start(variant, &servers.url(variant))?;
        for size in plan::SIZES {
            let sessions = if variant == Variant::None { 0 } else { SESSIONS };
            target.order(&Order::Begin { size, sessions })?;
        }
        targets.push(target);
    }
    let jobs = plan(options.duration());
    let mut samples: BTreeMap<_, Samples> = BTreeMap::new();
    for round in 1..=options.rounds() {
        eprintln!("round {round} of {}", options.rounds());
        // What one leaves the stores to do, it does not always leave to the same other.
        targets.rotate_left(1);
        for job in &jobs {
            for target in targets.iter_mut().filter(|target| plan::fits(target.variant(), job)) {
                let bare = plan::bare(job, BARE);
                let bare = target.order(&Order::Round(bare))?;
                let round = target.order(&Order::Round(*job))?;
                samples.entry((*job, target.variant())).or_default().add(&bare, &round);
            }
        }
    }
    Ok(row::rows(&samples))
}
