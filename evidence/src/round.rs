use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{sync::Mutex, task::JoinSet, time::sleep};

use crate::{
    browser::Browser,
    calm::Calm,
    fault::Fault,
    fleet::{Fleet, Size},
    planted::Plant,
    random::Random,
    row::Row,
    stall::Stall,
    tally::Tally,
    topology::{Ground, Topology},
};

const INSTANCES: usize = 2;
const BROWSERS: usize = 24;

/// How long browsers work before something happens.
const BEFORE: Duration = Duration::from_millis(1500);

/// How long they go on when all is mended: until nothing can come late any more.
const AFTER: Duration = Duration::from_millis(4500);

/// Runs browsers on instances, lets something happen, and tells what they saw. Run again, the same happens to other
/// browsers.
pub(crate) async fn run(
    ground: &Mutex<Ground>,
    topology: Topology,
    fault: Fault,
    plant: Option<Plant>,
    [seed, again]: [u64; 2],
) -> io::Result<Row> {
    let url = ground.lock().await.url();
    let fleet = Fleet::start_all(INSTANCES, &url, topology, plant).await?;
    let (calm, stop) = (Arc::new(Calm::default()), Arc::new(AtomicBool::new(false)));
    let mut crowd = JoinSet::new();
    for number in 0..BROWSERS {
        let user = format!("user-{seed:x}-{again}-{number}");
        let mut browser = Browser::new(
            user,
            fleet.ports(),
            Arc::clone(&calm),
            topology.is_near(),
            seed + 100 * again + number as u64,
        );
        let stop = Arc::clone(&stop);
        crowd.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                browser.step().await;
            }
            browser
        });
    }
    let stall = Stall::watch();
    sleep(BEFORE).await;
    ground.lock().await.take_most_in_a_second();
    let before = fleet.size().await?;
    let fleet = Mutex::new(fleet);
    let faults = fault
        .happen(topology, ground, &fleet, &calm, &mut Random::new(seed))
        .await?;
    let fleet = fleet.into_inner();
    let mended = calm.mended().unwrap_or_else(Instant::now);
    sleep(AFTER).await;
    stop.store(true, Ordering::Relaxed);
    let mut tally = Tally::default();
    while let Some(browser) = crowd.join_next().await {
        let mut browser = browser.map_err(io::Error::other)?;
        browser.look_everywhere().await;
        tally.add(&browser.tally);
    }
    let connections = ground.lock().await.take_most_in_a_second();
    let after = at_rest(&fleet, before).await?;
    Ok(Row {
        topology,
        faults,
        stall: stall.longest(),
        recovery: tally
            .last_refusal
            .map_or(Duration::ZERO, |last| last.duration_since(mended)),
        tally,
        connections,
        sizes: [before, after],
    })
}

/// What an instance is like when the last request is over.
async fn at_rest(fleet: &Fleet, before: Size) -> io::Result<Size> {
    let deadline = Instant::now() + Duration::from_secs(3);
    loop {
        let size = fleet.size().await?;
        if size.tasks <= before.tasks || Instant::now() > deadline {
            return Ok(size);
        }
        sleep(Duration::from_millis(100)).await;
    }
}
