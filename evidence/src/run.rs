use std::{fs, process::Command, thread, time::SystemTime};

use clap::{Args, ValueEnum};
use tokio::{sync::Mutex, task::block_in_place};

use crate::{
    Failure,
    fault::Fault,
    load,
    planted::Plant,
    round,
    row::Row,
    table::{Cell, Table},
    topology::{Ground, Topology},
};

/// What is run.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// How often each fault happens in each topology.
    #[arg(long, default_value_t = 1)]
    rounds: u64,
    /// Leaves out what takes long, and writes no file.
    #[arg(long)]
    short: bool,
    /// Only these topologies; no file is written.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Topology>,
    /// Only faults with this in their name; no file is written.
    #[arg(long)]
    fault: Option<String>,
    /// Only many requests at once, and nothing that breaks; no file is written.
    #[arg(long)]
    load: bool,
    /// Only browsers, for so many minutes, and nothing that breaks; no file is written.
    #[arg(long)]
    soak: Option<u64>,
    /// A fault of the store's own, which must be found.
    #[arg(long)]
    plant: Option<Plant>,
    /// Where the browsers' choices come from; by the clock unless set.
    #[arg(long)]
    seed: Option<u64>,
}

impl Options {
    fn topologies(&self) -> &[Topology] {
        if self.load {
            &[]
        } else if self.only.is_empty() {
            Topology::value_variants()
        } else {
            &self.only
        }
    }

    fn faults(&self) -> Vec<Fault> {
        if let Some(minutes) = self.soak {
            return vec![Fault::Soak(minutes)];
        }
        let is_asked = |fault: &Fault| self.fault.as_ref().is_none_or(|name| fault.to_string().contains(name));
        Fault::ALL.into_iter().filter(is_asked).collect()
    }

    fn is_load(&self) -> bool {
        self.only.is_empty() && self.fault.is_none() && self.plant.is_none() && self.soak.is_none()
    }

    fn is_whole(&self) -> bool {
        !self.short && !self.load && self.is_load()
    }
}

/// How often a round is run again in which the machine stood still, and no time can be judged.
const AGAIN: u64 = 2;

/// Where the evidence is kept.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/evidence.md");

/// Runs everything, and tells whether all promises held.
pub(crate) async fn run(options: &Options) -> Result<bool, Failure> {
    let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let seed = options.seed.unwrap_or(clock.as_secs());
    println!("seed {seed}");
    // Servers of several kinds do not disturb each other, and much of a round is waiting.
    let kinds = options.topologies().chunk_by(|one, other| one.is_like(*other));
    let kinds: Vec<_> = kinds
        .map(|kind| tokio::spawn(all_of(kind.to_vec(), options.clone(), seed)))
        .collect();
    let mut table = Table::default();
    for kind in kinds {
        table.0.extend(kind.await??.0);
    }
    println!("{table}");
    let mut load = load::Table::default();
    if options.is_load() {
        load = load::run(&[Topology::Redis, Topology::Postgres], options.short).await?;
    }
    if options.is_whole() {
        fs::write(FILE, document(&table, &load, seed)?)?;
    }
    Ok(table.failures() + load.failures() == 0)
}

/// All faults in these topologies, one after another.
async fn all_of(topologies: Vec<Topology>, options: Options, seed: u64) -> Result<Table, Failure> {
    let mut table = Table::default();
    for topology in topologies {
        let faults = options.faults().into_iter();
        if !topology.can_be_had() {
            table.0.extend(faults.map(|fault| (topology, fault, Cell::NotRun)));
            continue;
        }
        let ground = Mutex::new(Ground::start(topology).await?);
        for fault in faults {
            let cell = if let Some(why) = fault.is_not_here(topology) {
                Cell::NotHere(why)
            } else if (options.short && fault.is_left_out(topology)) || !fault.can_be_had() {
                Cell::NotRun
            } else {
                let seed = seed + 1_000_000 * table.0.len() as u64;
                Cell::Rows(rounds(&ground, topology, fault, &options, seed).await?)
            };
            table.0.push((topology, fault, cell));
        }
        block_in_place(|| drop(ground));
    }
    Ok(table)
}

async fn rounds(
    ground: &Mutex<Ground>,
    topology: Topology,
    fault: Fault,
    options: &Options,
    seed: u64,
) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for round in 0..options.rounds * fault.rounds() {
        for again in 0.. {
            let seed = seed + 1000 * round;
            let row = round::run(ground, topology, fault, options.plant, [seed, again]).await?;
            ground.lock().await.repair();
            tell(&row);
            if row.is_timed() || again == AGAIN || !row.flaws().is_empty() {
                rows.push(row);
                break;
            }
        }
    }
    Ok(rows)
}

fn tell(row: &Row) {
    let (topology, what, flaws) = (row.topology, row.what(), row.flaws());
    if flaws.is_empty() {
        let timed = if row.is_timed() {
            ""
        } else {
            ", but the machine stood still"
        };
        println!("{topology}, {what}: holds{timed}");
        return;
    }
    println!("{topology}, {what}: FAILS");
    let notes = flaws.iter().chain(row.tally.first.values());
    for note in notes.chain(row.tally.noted.iter().take(5)) {
        println!("  {note}");
    }
}

fn document(table: &Table, load: &load::Table, seed: u64) -> Result<String, Failure> {
    let redis = version("redis-server")?;
    let postgres = version("psql")?;
    let cores = thread::available_parallelism()?;
    Ok(format!(
        "{}\nMade with seed {seed} on {cores} cores: {redis}; {postgres}.\n{table}{load}{}",
        include_str!("head.md"),
        include_str!("foot.md")
    ))
}

fn version(program: &str) -> Result<String, Failure> {
    let output = Command::new(program).arg("--version").output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
