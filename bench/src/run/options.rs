use std::{fmt, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use crate::variant::Variant;

/// How the benchmark is run.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Three rounds, to see whether it works; no files are written.
    #[arg(long)]
    quick: bool,
    /// How often each variant does each workload.
    #[arg(long, default_value_t = 20)]
    rounds: usize,
    /// How long each time, in milliseconds.
    #[arg(long, default_value_t = 250)]
    millis: u64,
    /// Only these variants; no files are written.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Variant>,
    /// Only one operation at a time, beside the driver; no other file is written.
    #[arg(long)]
    alone: bool,
    /// Only the instructions of a request that asks for no session; no files are written.
    #[arg(long)]
    instructions: bool,
}

impl Options {
    pub(crate) const fn rounds(&self) -> usize {
        if self.quick { 3 } else { self.rounds }
    }

    pub(crate) const fn duration(&self) -> Duration {
        Duration::from_millis(self.millis)
    }

    /// Whether instructions are all that is wanted.
    pub(crate) const fn are_for_instructions(&self) -> bool {
        self.instructions
    }

    /// Whether one operation at a time is all that is wanted.
    pub(crate) const fn are_for_alone(&self) -> bool {
        self.alone
    }

    /// The variants that are measured.
    pub(crate) fn variants(&self) -> Vec<Variant> {
        if self.only.is_empty() {
            Variant::value_variants().to_vec()
        } else {
            self.only.clone()
        }
    }

    /// Where the files go. Only a whole run leaves any.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        let is_whole = !self.quick && self.only.is_empty();
        is_whole.then(Self::results)
    }

    pub(crate) fn results() -> PathBuf {
        PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/results"))
    }
}

/// A line for the head of a CSV file.
impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rounds, millis) = (self.rounds(), self.millis);
        writeln!(f, "# rounds: {rounds} of {millis} ms each, medians and quartiles")
    }
}
