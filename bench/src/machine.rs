use std::{fmt, fs, process::Command, thread};

use time::OffsetDateTime;

use crate::quartiles::Quartiles;

/// The crates whose versions the figures belong to.
const CRATES: [&str; 10] = [
    "axum",
    "tokio",
    "redis",
    "sqlx",
    "tower-sessions",
    "tower-sessions-redis-store",
    "tower-sessions-sqlx-store",
    "fred",
    "axum_session",
    "axum_session_redispool",
];

/// What the figures were measured on, and with.
#[derive(Debug)]
pub(crate) struct Machine {
    /// Names and what they are.
    facts: Vec<(&'static str, String)>,
}

impl Machine {
    /// Looks at this machine. `flush` is what it takes until a write is on its disk.
    pub(crate) fn look(redis: String, postgres: String, flush: Option<Quartiles>) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let processor = processor
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
            .map_or("unknown", |(_, name)| name);
        let versions: Vec<_> = CRATES.iter().flat_map(|name| versions(name)).collect();
        let facts = vec![
            ("date", OffsetDateTime::now_utc().date().to_string()),
            (
                "processor",
                format!("{processor}, {cores} cores, shared by servers, stores and load"),
            ),
            ("kernel", kernel()),
            ("Redis", redis),
            ("PostgreSQL", postgres),
            ("crates", versions.join(", ")),
            (
                "flush of 8 KiB to disk",
                flush.map_or_else(|| "unknown".to_owned(), |flush| format!("{flush:.3} ms")),
            ),
        ];
        Self { facts }
    }
}

/// A line for each fact, as the head of a CSV file has it.
impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, fact) in &self.facts {
            writeln!(f, "# {name}: {fact}")?;
        }
        Ok(())
    }
}

fn kernel() -> String {
    let output = Command::new("uname").args(["-s", "-r"]).output();
    output.map_or_else(
        |_| "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

/// The versions of a crate that this program was built with: the stores may use several.
fn versions(name: &str) -> Vec<String> {
    let lines: Vec<_> = include_str!("../Cargo.lock").lines().collect();
    let name_line = format!("name = \"{name}\"");
    lines
        .windows(2)
        .filter(|lines| lines[0] == name_line)
        .filter_map(|lines| lines[1].strip_prefix("version = \"")?.strip_suffix('"'))
        .map(|version| format!("{name} {version}"))
        .collect()
}
