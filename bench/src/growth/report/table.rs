use std::fmt::Write;

use super::LIMIT;
use crate::growth::{
    Options, Touches,
    compared::Compared,
    purge::Purge,
    results::Results,
    served::Served,
    size::{self, Size},
};

/// All figures: medians, with quartiles in brackets.
pub(in crate::growth) fn table(options: &Options, results: &Results) -> String {
    let mut table = String::new();
    compared(&mut table, "one at a time, us", options, &results.latencies);
    compared(&mut table, "64 at once, a second", options, &results.rates);
    sizes(&mut table, &results.sizes);
    purges(&mut table, &results.purges);
    if let Some(touched) = &results.touches {
        touches(&mut table, touched);
    }
    table
}

// A string takes all that is written to it, below.

fn compared(table: &mut String, title: &str, options: &Options, lines: &[Compared]) {
    let [few, many] = options.sessions().map(|count| format!("{count} sessions"));
    let _written = writeln!(table, "\n{title}\n  {:20}{few:26}{many:26}times as long", "");
    for line in lines {
        let _written = writeln!(
            table,
            "  {:10}{:10}{:26}{:26}{:.2}{}",
            format!("{:?}", line.backend),
            line.what,
            format!("{:.0}", line.few),
            format!("{:.0}", line.many),
            line.ratio,
            if line.ratio.median > LIMIT {
                "  more than wanted"
            } else {
                ""
            },
        );
    }
}

fn sizes(table: &mut String, sizes: &[Size]) {
    let _written = writeln!(table, "\nbytes a session");
    for size in sizes {
        let _written = writeln!(
            table,
            "  {:10}{:24}{:8.0}",
            format!("{:?}", size.backend),
            size.part,
            size.per_session()
        );
    }
}

fn purges(table: &mut String, purges: &[Purge]) {
    let _written = writeln!(
        table,
        "\npurge, while 64 at once load and update\n  {:10}{:>10}{:>12}  {:22}{:24}{:24}others a second",
        "", "purged", "a second", "a call, ms", "p50 before/meanwhile", "p99 before/meanwhile",
    );
    for purge in purges {
        let (before, during) = (purge.before, purge.during);
        let both = |of: fn(Served) -> f64| format!("{:.2} / {:.2} ms", of(before), of(during));
        let _written = writeln!(
            table,
            "  {:10}{:10}{:12.0}  {:22}{:24}{:24}{:.0} / {:.0}",
            format!("{:?}", purge.backend),
            purge.purged,
            purge.rate,
            format!("{:.1}", purge.call),
            both(|served| served.p50),
            both(|served| served.p99),
            before.rate,
            during.rate,
        );
    }
}

fn touches(table: &mut String, touches: &Touches) {
    let Touches {
        sessions, each, took, ..
    } = touches;
    let counts = touches.counts;
    let _written = writeln!(
        table,
        "\nan hour's touches in Postgres: {sessions} sessions of their own, {each} touches each, within {took:.0} s, and the \
         autovacuum\nonce a second instead of once a minute\n  {:26}{:>12}{:>12}{:>10}",
        "bytes", "before", "after", "x"
    );
    for (before, after) in touches.before.iter().zip(&touches.after) {
        let (part, before, after) = (&before.part, before.bytes, after.bytes);
        let growth = size::growth(before, after).map_or_else(|| "-".to_owned(), |growth| format!("{growth:.2}"));
        let _written = writeln!(table, "  {part:26}{before:12}{after:12}{growth:>10}");
    }
    let _written = writeln!(
        table,
        "  {:.1} % of {} changes were HOT; {} dead rows left; the autovacuum came {} times",
        touches.hot_share() * 100.0,
        counts.changed,
        counts.dead,
        counts.vacuums,
    );
}
