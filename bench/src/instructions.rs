use std::{fs, io, process::Command, time::Duration};

use crate::{
    Failure,
    load::{Job, Order, Round},
    run::Process,
    variant::Variant,
    workload::Workload,
};

/// How long a server works under valgrind, which makes it many times slower.
const DURATION: Duration = Duration::from_secs(10);

/// The instructions that a server needs for a request, its own and not the kernel's: for differences that are too small
/// for a clock.
#[derive(Debug)]
pub(crate) struct Instructions {
    pub(crate) variant: Variant,
    /// On the route outside every layer.
    pub(crate) bare: f64,
    /// On the route inside the layer that asks for no session.
    pub(crate) plain: f64,
}

impl Instructions {
    /// What the bare route needs, as a share of what the other one does.
    pub(crate) fn share(&self) -> f64 {
        self.bare / self.plain
    }
}

/// Counts them, with the layers over memory: such a request does not come as far as a store. Nothing without valgrind.
pub(crate) fn count() -> Result<Vec<Instructions>, Failure> {
    match Command::new("valgrind").arg("--version").output() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        output => output?,
    };
    let variants = [Variant::None, Variant::OursMemory, Variant::TowerMemory];
    variants.into_iter().map(count_of).collect()
}

fn count_of(variant: Variant) -> Result<Instructions, Failure> {
    let (_, idle) = serve(variant, None)?;
    let of_request = |workload| {
        let (requests, instructions) = serve(variant, Some(workload))?;
        Ok::<_, Failure>(instructions.saturating_sub(idle) as f64 / requests as f64)
    };
    Ok(Instructions {
        variant,
        bare: of_request(Workload::Bare)?,
        plain: of_request(Workload::Plain)?,
    })
}

/// How many requests a server answered after a login, and how many instructions it needed in all.
fn serve(variant: Variant, workload: Option<Workload>) -> Result<(u64, u64), Failure> {
    let folder = tempfile::tempdir()?;
    let log = folder.path().join("log");
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(format!("--log-file={}", log.display()));
    let mut server = Process::start_under(&mut valgrind, &["serve", &variant.to_string(), "-"])?;
    let address = server.hear()?;
    let mut load = Process::start(&["load", &address, &address])?;
    let mut order = |order: &Order| {
        load.say(&serde_json::to_string(order)?)?;
        let round: Round = serde_json::from_str(&load.hear()?)?;
        round
            .failure
            .map_or(Ok(round.requests), |failure| Err(Failure::from(failure)))
    };
    let (size, connections) = (300, 1);
    let sessions = usize::from(variant != Variant::None);
    order(&Order::Begin { size, sessions })?;
    let requests = workload.map_or(Ok(0), |workload| {
        order(&Order::Round(Job {
            workload,
            connections,
            size,
            duration: DURATION,
        }))
    })?;
    load.finish()?;
    server.finish()?;
    let log = fs::read_to_string(log)?;
    let collected = log.lines().find_map(|line| line.split_once("Collected : "));
    let (_, instructions) = collected.ok_or("valgrind did not say what it counted")?;
    Ok((requests, instructions.trim().parse()?))
}
