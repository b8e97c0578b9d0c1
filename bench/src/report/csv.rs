use std::fmt::Write;

use crate::{alone::Line, instructions::Instructions, quartiles::Quartiles, run::Row};

/// The side-by-side figures.
pub(super) fn side_by_side(head: &str, rows: &[Row]) -> String {
    let mut csv = format!(
        "{head}workload,connections,record bytes,sessions,{},{},{},{},{},{},invalid\n",
        columns("share of bare"),
        columns("multiple of tower-sessions"),
        columns("requests/s"),
        columns("bare requests/s"),
        columns("p50 ms"),
        columns("p99 ms"),
    );
    for row in rows {
        let against = row.against.map_or_else(|| ",,".to_owned(), |against| cells(&against));
        // A string takes all that is written to it.
        let _written = writeln!(
            csv,
            "\"{}\",{},{},\"{}\",{},{against},{},{},{},{},{}",
            row.workload,
            row.connections,
            row.size,
            row.variant.title(),
            cells(&row.share),
            cells(&row.rate),
            cells(&row.bare),
            cells(&row.p50),
            cells(&row.p99),
            quoted(row.invalid.as_deref().unwrap_or_default()),
        );
    }
    csv
}

/// The figures of one operation at a time.
pub(super) fn alone(head: &str, lines: &[Line]) -> String {
    let mut csv = format!(
        "{head}store,operation,{},{},{}\n",
        columns("store us"),
        columns("driver us"),
        columns("multiple of driver"),
    );
    for line in lines {
        let _written = writeln!(
            csv,
            "{:?},{},{},{},{}",
            line.backend,
            line.operation,
            cells(&line.ours),
            cells(&line.driver),
            cells(&line.ratio),
        );
    }
    csv
}

/// The figures of a route that asks for no session.
pub(super) fn instructions(head: &str, plain: &[Instructions]) -> String {
    let mut csv = format!("{head}sessions,bare,inside the layer,share of bare\n");
    for counted in plain {
        let _written = writeln!(
            csv,
            "\"{}\",{:.0},{:.0},{:.4}",
            counted.variant.title(),
            counted.bare,
            counted.plain,
            counted.share(),
        );
    }
    csv
}

fn columns(name: &str) -> String {
    format!("{name},{name} q1,{name} q3")
}

fn cells(quartiles: &Quartiles) -> String {
    let Quartiles { low, median, high } = quartiles;
    format!("{median:.4},{low:.4},{high:.4}")
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "'"))
}
