//! An app that runs as many instances behind a balancer, and whose sessions stay right.
//!
//! `fleet` (what it does if not told otherwise) runs several instances and the balancer in one process, `serve` one
//! instance as a platform would start it, and `migrate` prepares a database. [`app::app`] is the app itself.

mod accounts;
mod answered;
mod app;
mod cli;
mod counter;
mod devices;
mod feed;
mod fleet;
mod live;
mod notes;
mod page;
mod policy;
mod serve;
mod span;
mod store;
mod times;
mod visits;

use std::{
    error::Error,
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use cli::{Cli, Command, variable};
use fleet::Screen;
use tracing_subscriber::EnvFilter;

/// Anything that ends the program, to be told with all its causes.
type Failure = Box<dyn Error + Send + Sync>;

/// What is logged unless RUST_LOG says otherwise. On a console, each login would be too much.
const DEFAULT_LOG: &str = "info,session::audit=warn";

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::read();
    let screen = Screen::new();
    let told = variable(EnvFilter::DEFAULT_ENV).and_then(|told| told.parse().ok());
    let filter = told.unwrap_or_else(|| EnvFilter::new(DEFAULT_LOG));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(screen.clone())
        .with_ansi(io::stderr().is_terminal())
        .init();
    match run(cli, screen).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _nobody_reads_it = writeln!(io::stderr(), "error: {}", chain(failure.as_ref()));
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli, screen: Screen) -> Result<(), Failure> {
    match cli.command.unwrap_or(Command::Fleet(cli.fleet)) {
        Command::Fleet(args) => fleet::run(&args, screen).await,
        Command::Serve(args) => serve::run(&args).await,
        Command::Migrate(store) => store::migrate(&store).await,
    }
}

/// Prints a line. That nobody reads it any more is no reason to end.
fn tell(line: &str) {
    let _gone = writeln!(io::stdout(), "{line}");
}

/// An error and its causes, in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let reason = error.to_string();
        // Drivers tell a cause and name it as the cause as well.
        if !text.ends_with(&reason) {
            text = format!("{text}: {reason}");
        }
        cause = error.source();
    }
    text
}
