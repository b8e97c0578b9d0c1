use std::{fs, process::Command, thread, time::SystemTime};

use clap::{Args, ValueEnum};
use tokio::sync::Mutex;

use crate::{
    Failure,
    fault::Fault,
    load,
    planted::Plant,
    round,
    table::{Cell, Table},
    topology::{Ground, Topology},
};

/// What is run.
#[derive(Debug, Args)]
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

/// Where the evidence is kept.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/evidence.md");

/// Runs everything, and tells whether all promises held.
pub(crate) async fn run(options: &Options) -> Result<bool, Failure> {
    let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let mut seed = options.seed.unwrap_or(clock.as_secs());
    let first = seed;
    println!("seed {first}");
    let mut table = Table::default();
    for topology in options.topologies().iter().copied() {
        if !topology.can_be_had() {
            let left = options.faults().into_iter();
            table.0.extend(left.map(|fault| (topology, fault, Cell::NotRun)));
            continue;
        }
        let ground = Mutex::new(Ground::start(topology).await?);
        for fault in options.faults() {
            let is_asked = options
                .fault
                .as_ref()
                .is_none_or(|name| fault.to_string().contains(name));
            if !is_asked {
                continue;
            }
            let cell = if let Some(why) = fault.is_impossible(topology) {
                Cell::Impossible(why)
            } else if (options.short && fault.is_left_out(topology)) || !fault.can_be_had() {
                Cell::NotRun
            } else {
                let mut rows = Vec::new();
                for _ in 0..options.rounds * fault.rounds() {
                    seed += 1000;
                    let row = round::run(&ground, topology, fault, options.plant, seed).await?;
                    let flaws = row.flaws();
                    let what: Vec<_> = row.faults.iter().map(ToString::to_string).collect();
                    let verdict = if flaws.is_empty() {
                        "holds".to_owned()
                    } else {
                        flaws.join("; ")
                    };
                    println!("{topology}, {}: {verdict}", what.join(" and "));
                    if let (false, Some(first)) = (flaws.is_empty(), &row.tally.first) {
                        println!("  {first}");
                    }
                    if !flaws.is_empty() {
                        row.tally.noted.iter().take(5).for_each(|note| println!("  {note}"));
                    }
                    rows.push(row);
                    ground.lock().await.repair();
                }
                Cell::Rows(rows)
            };
            table.0.push((topology, fault, cell));
        }
        if options.is_whole() {
            // What is known so far is not lost if the rest is.
            fs::write(FILE, document(&table, &load::Table::default(), first)?)?;
        }
    }
    println!("{table}");
    let mut load = load::Table::default();
    if options.is_load() {
        load = load::run(&[Topology::Redis, Topology::Postgres], options.short).await?;
    }
    if options.is_whole() {
        fs::write(FILE, document(&table, &load, first)?)?;
    }
    Ok(table.failures() + load.failures() == 0)
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
