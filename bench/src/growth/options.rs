use std::{fmt, path::PathBuf};

use clap::Args;

/// How growth is measured.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Options {
    /// With 100 and 20,000 sessions, to see whether it works; no files are written.
    #[arg(long)]
    quick: bool,
    /// The memory in which PostgreSQL keeps pages, as its `shared_buffers`; 128 MB unless set, and no files are written
    /// if it is.
    #[arg(long)]
    pub(super) shared_buffers: Option<String>,
}

impl Options {
    /// How many sessions are few, and how many are many.
    pub(super) const fn sessions(&self) -> [usize; 2] {
        if self.quick { [100, 20_000] } else { [1000, 1_000_000] }
    }

    /// How many of the many expire; no more than have users.
    pub(super) const fn expired(&self) -> usize {
        if self.quick { 4000 } else { 200_000 }
    }

    /// How often each operation has its turn.
    pub(super) const fn turns(&self) -> usize {
        if self.quick { 10 } else { 100 }
    }

    /// How often many operations at once have theirs.
    pub(super) const fn rounds(&self) -> usize {
        if self.quick { 3 } else { 15 }
    }

    /// How many sessions are touched, and how often each: as often as in an hour, at a touch a minute.
    pub(super) const fn touches(&self) -> (usize, usize) {
        if self.quick { (1000, 60) } else { (20_000, 60) }
    }

    /// Where the files go. Only a whole run leaves any.
    pub(super) fn folder(&self) -> Option<PathBuf> {
        let is_whole = !self.quick && self.shared_buffers.is_none();
        is_whole.then(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/results")))
    }
}

/// Lines for the head of a CSV file.
impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ([few, many], turns, rounds) = (self.sessions(), self.turns(), self.rounds());
        let (touched, minutes) = self.touches();
        if self.quick {
            writeln!(f, "# quick: to see whether it works, not to be quoted")?;
        }
        writeln!(
            f,
            "# sessions: {few} and {many}, of 300 bytes, one in four with a user, ten to a user"
        )?;
        writeln!(
            f,
            "# turns: {turns} of 20 operations each, {rounds} of 400 ms at once, medians and quartiles"
        )?;
        writeln!(
            f,
            "# touches: {touched} sessions of their own, {minutes} each, an hour's, as fast as they come"
        )
    }
}
