use std::fmt::{Display, Write};

use crate::{
    growth::{Options, compared::Compared, results::Results},
    quartiles::Quartiles,
};

/// All figures, one a line.
pub(super) fn csv(head: &str, options: &Options, results: &Results) -> String {
    let mut csv = Csv(format!("{head}part,store,what,measure,median,q1,q3\n"));
    compared(&mut csv, "one at a time", "us", options, &results.latencies);
    compared(&mut csv, "64 at once", "a second", options, &results.rates);
    for size in &results.sizes {
        let store = format!("{:?}", size.backend);
        csv.line(["size", &store, &size.part, "bytes a session"], size.per_session());
    }
    for purge in &results.purges {
        let store = format!("{:?}", purge.backend);
        csv.line(["purge", &store, "expired", "sessions"], purge.purged);
        csv.line(["purge", &store, "expired", "a second"], purge.rate);
        csv.quartiles(["purge", &store, "a call", "ms"], &purge.call);
        for (when, served) in [("others before", purge.before), ("others meanwhile", purge.during)] {
            csv.line(["purge", &store, when, "a second"], served.rate);
            csv.line(["purge", &store, when, "p50 ms"], served.p50);
            csv.line(["purge", &store, when, "p99 ms"], served.p99);
        }
    }
    if let Some(touches) = &results.touches {
        let mut line = |what: &str, measure: &str, value: f64| {
            csv.line(["touches", "Postgres", what, measure], value);
        };
        line("all", "seconds", touches.took);
        for (when, sizes) in [("bytes before", &touches.before), ("bytes after", &touches.after)] {
            for size in sizes {
                line(&size.part, when, size.bytes as f64);
            }
        }
        line("changes", "rows", touches.counts.changed as f64);
        line("HOT", "share of changes", touches.hot_share());
        line("dead", "rows", touches.counts.dead as f64);
        line("autovacuum", "times", touches.counts.vacuums as f64);
    }
    csv.0
}

fn compared(csv: &mut Csv, part: &str, unit: &str, options: &Options, lines: &[Compared]) {
    let [few, many] = options.sessions().map(|count| format!("{unit} with {count}"));
    for line in lines {
        let store = format!("{:?}", line.backend);
        csv.quartiles([part, &store, &line.what, &few], &line.few);
        csv.quartiles([part, &store, &line.what, &many], &line.many);
        csv.quartiles([part, &store, &line.what, "times as long"], &line.ratio);
    }
}

/// A file in the making. A string takes all that is written to it.
struct Csv(String);

impl Csv {
    fn line(&mut self, names: [&str; 4], value: impl Display) {
        let _written = writeln!(self.0, "{},{value},,", names.join(","));
    }

    fn quartiles(&mut self, names: [&str; 4], value: &Quartiles) {
        let Quartiles { low, median, high } = value;
        let _written = writeln!(self.0, "{},{median:.4},{low:.4},{high:.4}", names.join(","));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{growth::size::Size, variant::Backend};

    #[test]
    fn every_line_has_the_columns_of_the_heading() {
        let latencies = Compared::of(Backend::Redis, &"load", [vec![10.0], vec![12.0]], |few, many| {
            many / few
        });
        let results = Results {
            latencies: latencies.into_iter().collect(),
            sizes: vec![Size {
                backend: Backend::Postgres,
                part: "rows".to_owned(),
                bytes: 1000,
                sessions: 4,
            }],
            ..Results::default()
        };
        let csv = csv("# head\n", &Options::default(), &results);
        let lines: Vec<_> = csv.lines().collect();
        assert_eq!(lines[0], "# head");
        assert_eq!(lines[4], "one at a time,Redis,load,times as long,1.2000,1.2000,1.2000");
        assert_eq!(lines[5], "size,Postgres,rows,bytes a session,250,,");
        assert!(lines[1..].iter().all(|line| line.split(',').count() == 7), "{csv}");
    }
}
