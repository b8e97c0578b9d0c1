use std::fmt::{self, Write};

use crate::{fault::Fault, history::Broken, row::Row, tally::When, topology::Topology};

/// What stands in a line.
#[derive(Debug)]
pub(crate) enum Cell {
    Rows(Vec<Row>),
    /// It cannot happen there, or another topology shows the same: which.
    NotHere(&'static str),
    NotRun,
}

/// The evidence: topologies and faults, and what came of each.
#[derive(Debug, Default)]
pub(crate) struct Table(pub(crate) Vec<(Topology, Fault, Cell)>);

impl Table {
    /// Rounds in which something was not as it should be.
    pub(crate) fn failures(&self) -> usize {
        let rows = self.0.iter().filter_map(|(_, _, cell)| match cell {
            Cell::Rows(rows) => Some(rows),
            _ => None,
        });
        rows.flatten().filter(|row| !row.flaws().is_empty()).count()
    }
}

const HEAD: &str = "\
| fault | rounds | requests | writes lost | counts wrong | sessions lost | ended that opened | refused | longest answer | works again after | connections a second | verdict |
|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|
";

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = None;
        for (topology, fault, cell) in &self.0 {
            if last != Some(*topology) {
                write!(f, "\n## {topology}\n\n{HEAD}")?;
                last = Some(*topology);
            }
            let none = "– | ".repeat(10);
            match cell {
                Cell::Rows(rows) => writeln!(f, "{}", line(*fault, rows)?)?,
                Cell::NotHere(why) => writeln!(f, "| {fault} | {none}not here: {why} |")?,
                Cell::NotRun => writeln!(f, "| {fault} | {none}not run |")?,
            }
        }
        Ok(())
    }
}

fn line(fault: Fault, rows: &[Row]) -> Result<String, fmt::Error> {
    let sum = |of: &dyn Fn(&Row) -> u64| rows.iter().map(of).sum::<u64>();
    let broken = |broken| sum(&|row| row.tally.times(broken, &When::ALL));
    let longest = rows.iter().map(|row| row.tally.longest).max().unwrap_or_default();
    let recovery = rows.iter().map(|row| row.recovery).max().unwrap_or_default();
    let connections = rows.iter().filter_map(|row| row.connections).max();
    let flaws: Vec<_> = rows.iter().flat_map(Row::flaws).collect();
    let mut line = String::new();
    write!(
        line,
        "| {fault} | {} | {} | {} | {} | {} | {} | {} | {} ms | {} ms | {} | ",
        rows.len(),
        sum(&|row| row.tally.requests),
        broken(Broken::Write),
        broken(Broken::Count),
        broken(Broken::Session),
        broken(Broken::Ended),
        sum(&|row| row.tally.refused + row.tally.unanswered),
        longest.as_millis(),
        recovery.as_millis(),
        connections.map_or_else(|| "–".to_owned(), |connections| connections.to_string()),
    )?;
    let happened = rows
        .iter()
        .flat_map(|row| row.faults.iter().map(|fault| (fault, row.topology)));
    let excuse = happened.filter_map(|(fault, topology)| fault.excuse(topology)).next();
    match (flaws.is_empty(), excuse) {
        (true, excuse) => {
            let untimed = rows.iter().filter(|row| !row.is_timed());
            let still = untimed.map(|row| row.stall).max();
            let still = still.map(|still| {
                format!(
                    "; times not judged, the machine stood still for {} ms",
                    still.as_millis()
                )
            });
            let excuse = excuse.map(|excuse| format!("; {excuse}"));
            let pairs = rows.iter().filter(|row| row.faults.len() > 1);
            let pairs: String = pairs.map(|row| format!("; {}", row.what())).collect();
            write!(
                line,
                "holds{}{}{pairs} |",
                still.unwrap_or_default(),
                excuse.unwrap_or_default()
            )?;
        }
        (false, _) => write!(line, "**{}** |", flaws.join("; "))?,
    }
    Ok(line)
}
