use std::fmt::Write;

use crate::{alone::Line, instructions::Instructions, run::Row};

/// The side-by-side figures: medians, with quartiles in brackets.
pub(crate) fn side_by_side(rows: &[Row]) -> String {
    let mut table = String::new();
    let mut heading = String::new();
    for row in rows {
        let connections = match row.connections {
            1 => "1 connection".to_owned(),
            more => format!("{more} connections"),
        };
        let title = format!("{}, {connections}, records of {} bytes", row.workload, row.size);
        if title != heading {
            // A string takes all that is written to it.
            let _written = writeln!(
                table,
                "\n{title}\n  {:28}{:20}{:20}{:>11}{:>10}{:>10}",
                "", "share of bare", "x tower-sessions", "requests/s", "p50 ms", "p99 ms"
            );
            heading = title;
        }
        let name = row.variant.title();
        let _written = match &row.invalid {
            Some(why) => writeln!(table, "  {name:28}invalid: {why}"),
            None => {
                let against = row.against.map_or_else(String::new, |against| format!("{against:.2}"));
                writeln!(
                    table,
                    "  {name:28}{:20}{against:20}{:11.0}{:10.2}{:10.2}",
                    format!("{:.3}", row.share),
                    row.rate.median,
                    row.p50.median,
                    row.p99.median,
                )
            }
        };
    }
    table
}

/// The figures of one operation at a time, in microseconds.
pub(crate) fn alone(lines: &[Line]) -> String {
    let mut table = format!(
        "\none at a time, us\n  {:10}{:10}{:24}{:24}{}\n",
        "", "", "store", "driver", "x driver"
    );
    for line in lines {
        let _written = writeln!(
            table,
            "  {:10}{:10}{:24}{:24}{:.2}",
            format!("{:?}", line.backend),
            line.operation,
            format!("{:.0}", line.ours),
            format!("{:.0}", line.driver),
            line.ratio,
        );
    }
    table
}

/// The figures of a route that asks for no session.
pub(crate) fn instructions(plain: &[Instructions]) -> String {
    if plain.is_empty() {
        return "\ninstructions: not counted, for there is no valgrind\n".to_owned();
    }
    let mut table = format!(
        "\ninstructions of the server for a request\n  {:28}{:>10}{:>28}{:>16}\n",
        "", "bare", "no session asked for", "share of bare"
    );
    for counted in plain {
        let _written = writeln!(
            table,
            "  {:28}{:10.0}{:28.0}{:16.3}",
            counted.variant.title(),
            counted.bare,
            counted.plain,
            counted.share(),
        );
    }
    table
}
