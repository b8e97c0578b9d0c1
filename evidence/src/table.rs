use std::fmt::{self, Write};

use crate::{fault::Fault, history::Broken, row::Row, topology::Topology};

/// What stands in a line.
#[derive(Debug)]
pub(crate) enum Cell {
    Rows(Vec<Row>),
    /// It cannot happen, and why.
    Impossible(&'static str),
    NotRun,
}

/// The evidence: topologies and faults, and what came of each.
#[derive(Debug, Default)]
pub(crate) struct Table(pub(crate) Vec<(Topology, Fault, Cell)>);

impl Table {
    pub(crate) fn failures(&self) -> usize {
        let rows = self.0.iter().filter_map(|(_, _, cell)| match cell {
            Cell::Rows(rows) => Some(rows),
            _ => None,
        });
        rows.flatten().filter(|row| !row.flaws().is_empty()).count()
    }
}

const HEAD: &str = "\
| fault | rounds | requests | acknowledged | lost | ended that opened | refused | longest answer | works again after | connections a second | verdict |
|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|
";

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = None;
        for (topology, fault, cell) in &self.0 {
            if last != Some(*topology) {
                write!(f, "\n### {topology}\n\n{HEAD}")?;
                last = Some(*topology);
            }
            match cell {
                Cell::Rows(rows) => writeln!(f, "{}", line(*fault, rows)?)?,
                Cell::Impossible(why) => writeln!(f, "| {fault} | | | | | | | | | | cannot be: {why} |")?,
                Cell::NotRun => writeln!(f, "| {fault} | | | | | | | | | | not run |")?,
            }
        }
        Ok(())
    }
}

fn line(fault: Fault, rows: &[Row]) -> Result<String, fmt::Error> {
    let sum = |of: fn(&Row) -> u64| rows.iter().map(of).sum::<u64>();
    let lost = sum(|row| {
        let times = [Broken::Write, Broken::Count, Broken::Session].map(|broken| row.tally.times(broken));
        times.iter().sum()
    });
    let longest = rows.iter().map(|row| row.tally.longest).max().unwrap_or_default();
    let recovery = rows.iter().map(|row| row.recovery).max().unwrap_or_default();
    let connections = rows.iter().map(|row| row.connections).max().unwrap_or(0);
    let flaws: Vec<_> = rows.iter().flat_map(Row::flaws).collect();
    let verdict = if flaws.is_empty() {
        "holds".to_owned()
    } else {
        format!("**{}**", flaws.join("; "))
    };
    let mut line = String::new();
    write!(
        line,
        "| {fault} | {} | {} | {} | {lost} | {} | {} | {} ms | {} ms | {connections} | {verdict} |",
        rows.len(),
        sum(|row| row.tally.requests),
        sum(|row| row.tally.acknowledged),
        sum(|row| row.tally.times(Broken::Ended)),
        sum(|row| row.tally.refused + row.tally.unanswered),
        longest.as_millis(),
        recovery.as_millis(),
    )?;
    Ok(line)
}
