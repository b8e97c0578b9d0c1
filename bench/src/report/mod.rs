//! What was measured, to read and to keep.

mod csv;
mod plot;
mod table;

use std::{fs, path::Path};

pub(crate) use table::{alone, instructions, side_by_side};

use crate::{Failure, alone::Line, instructions::Instructions, run::Row};

/// Writes the files of a whole run. `head` is a comment: what was measured where, and with what.
pub(crate) fn write(
    folder: &Path,
    head: &str,
    rows: &[Row],
    lines: &[Line],
    plain: &[Instructions],
) -> Result<(), Failure> {
    write_alone(folder, head, lines)?;
    fs::write(folder.join("side_by_side.csv"), csv::side_by_side(head, rows))?;
    fs::write(folder.join("instructions.csv"), csv::instructions(head, plain))?;
    plot::shares(&folder.join("side_by_side.svg"), rows)
}

/// Writes the file of what is done one at a time.
pub(crate) fn write_alone(folder: &Path, head: &str, lines: &[Line]) -> Result<(), Failure> {
    fs::create_dir_all(folder)?;
    Ok(fs::write(folder.join("alone.csv"), csv::alone(head, lines))?)
}
