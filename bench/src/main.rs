//! Measures sessions side by side: the same axum app over these sessions, over those of other crates, and without.
//!
//! It starts a Redis and a PostgreSQL of its own, and for each variant two instances of the app and a load, each a
//! process of its own. In each turn every variant does every workload for a fraction of a second, and beside it the
//! same server's route that is outside every layer. So whatever else the machine does at that moment, it does to both,
//! and their ratio can be compared.

mod alone;
mod app;
mod disk;
mod growth;
mod instructions;
mod load;
mod machine;
mod quartiles;
mod report;
mod run;
mod servers;
mod variant;
mod workload;

use std::{net::SocketAddr, process::ExitCode};

use clap::{Parser, Subcommand};
use tokio::runtime;

use self::{run::Options, variant::Variant};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Measures sessions side by side.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    part: Option<Part>,
    #[command(flatten)]
    options: Options,
}

/// A benchmark of its own, and what the processes are that the benchmark starts.
#[derive(Debug, Subcommand)]
enum Part {
    /// An instance of the app. It prints its address and ends with its input.
    Serve { variant: Variant, url: String },
    /// The load on an instance. It reads orders, a line of JSON each, and answers each with another.
    Load { address: SocketAddr, elsewhere: SocketAddr },
    /// What changes with a million sessions.
    Growth(growth::Options),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.part {
        None => run::run(&arguments.options),
        Some(Part::Growth(options)) => growth::run(&options),
        // As an app is run that says no more than `#[tokio::main]`.
        Some(Part::Serve { variant, url }) => runtime::Runtime::new()
            .map_err(Failure::from)
            .and_then(|runtime| runtime.block_on(app::serve(variant, &url))),
        // One thread: it is to leave the machine to what is measured.
        Some(Part::Load { address, elsewhere }) => runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Failure::from)
            .and_then(|runtime| runtime.block_on(load::obey(address, elsewhere))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
