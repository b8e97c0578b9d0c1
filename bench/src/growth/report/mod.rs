//! What was measured, to read and to keep.

mod csv;
mod plot;
mod table;

use std::{fs, path::Path};

pub(super) use table::table;

use super::{Options, results::Results};
use crate::Failure;

/// How many times as long an operation may take with many sessions, at most.
const LIMIT: f64 = 1.3;

/// Writes the files of a whole run. `head` is a comment: what was measured where, and with what.
pub(super) fn write(folder: &Path, head: &str, options: &Options, results: &Results) -> Result<(), Failure> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("growth.csv"), csv::csv(head, options, results))?;
    plot::plot(&folder.join("growth.svg"), options, results).map_err(|error| error.to_string().into())
}
