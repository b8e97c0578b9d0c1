//! Shows what the promises are worth when something breaks.
//!
//! It starts servers of its own and two instances of an app, each a process, and browsers that write, count, log in and
//! out on both and know what they were answered. Then something happens: a process is killed or frozen, a link cut, a
//! standby promoted. Each browser compares every answer with what it knows, during the fault and after it, and looks at
//! everything in the end.

mod browser;
mod calm;
mod fault;
mod fleet;
mod history;
mod http;
mod instance;
mod jar;
mod load;
mod loss;
mod planted;
mod process;
mod proxy;
#[path = "../../bench/src/growth/random.rs"]
mod random;
mod round;
mod row;
mod run;
mod stall;
mod table;
mod tally;
mod topology;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    part: Option<Part>,
    #[command(flatten)]
    options: run::Options,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// One instance of the app, for the other processes here.
    Instance(instance::Instance),
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter("error")
        .with_writer(std::io::stderr)
        .init();
    let arguments = Arguments::parse();
    let done = match arguments.part {
        Some(Part::Instance(instance)) => instance.serve().await.map(|()| true),
        None => run::run(&arguments.options).await,
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
