use std::fmt;

use super::measured::Measured;
use crate::topology::Topology;

/// What came of one kind of load.
#[derive(Debug)]
pub(crate) struct Line {
    pub(super) topology: Topology,
    pub(super) what: String,
    pub(super) instances: usize,
    pub(super) measured: Measured,
}

/// The load's part of the evidence.
#[derive(Debug, Default)]
pub(crate) struct Table(pub(super) Vec<Line>);

impl Table {
    pub(crate) fn failures(&self) -> usize {
        self.0.iter().filter(|line| !line.measured.wrong.is_empty()).count()
    }
}

const HEAD: &str = "
## Load

On servers, instances and browsers of the same few cores, so times say little; what matters is that nothing but 503 is
answered where something cannot be, that all is counted, and that it passes. Memory is that of one instance: before, under
the load, and after.

| store | instances | load | answered with yes | with 503 | p50 | p99 | memory | verdict |
|---|--:|---|--:|--:|--:|--:|--:|---|
";

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEAD)?;
        self.0.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Measured {
            yes,
            refused,
            sizes,
            wrong,
            ..
        } = &self.measured;
        let memory: Vec<_> = sizes.iter().map(|size| (size.memory / 1024).to_string()).collect();
        let verdict = match &wrong[..] {
            [] => "holds".to_owned(),
            [first, ..] => format!("**{} wrong: {first}**", wrong.len()),
        };
        let (p50, p99) = (self.measured.quantile(50), self.measured.quantile(99));
        write!(
            f,
            "| {} | {} | {} | {yes} | {refused} | {} ms | {} ms | {} MiB | {verdict} |",
            self.topology,
            self.instances,
            self.what,
            p50.as_millis(),
            p99.as_millis(),
            memory.join(", "),
        )
    }
}
