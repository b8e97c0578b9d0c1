//! Many at once: connections, requests of one session, a burst.

mod connection;
mod crowd;
mod measured;
mod table;

use std::{io, sync::atomic::Ordering, time::Duration};

pub(crate) use self::table::{Line, Table};
use self::{connection::Connection, crowd::Crowd, measured::Measured};
use crate::{Failure, fleet::Fleet, topology::Ground, topology::Topology};

/// Connections that are open at the same time, each with a session of its own.
const CONNECTIONS: usize = 10_000;

/// Requests that update one key of one session at the same time.
const CONTENDERS: usize = 1_000;

/// Browsers before the burst, and how many times as many there are in it.
const BROWSERS: usize = 20;
const TIMES: usize = 100;

/// How long there is burst, and how long there is none before it and after it.
const WHILE: Duration = Duration::from_secs(5);

/// Runs all of it on one instance and on four, or a tenth of it.
pub(crate) async fn run(topologies: &[Topology], tenth: bool) -> Result<Table, Failure> {
    let of = |all: usize| if tenth { all / 10 } else { all };
    let mut lines = Vec::new();
    for topology in topologies.iter().copied() {
        let ground = Ground::start(topology).await?;
        for instances in [1, 4] {
            let fleet = Fleet::start_all(instances, &ground.url(), topology, None).await?;
            let mut line = |what: String, measured: Measured| {
                let line = Line {
                    topology,
                    what,
                    instances,
                    measured,
                };
                println!("{line}");
                lines.push(line);
            };
            let (open, contenders) = (of(CONNECTIONS), of(CONTENDERS));
            line(
                format!("{open} connections, each logs in and reads twice"),
                connections(&fleet, open).await?,
            );
            line(
                format!("{contenders} updates of one key at once"),
                contended(&fleet, contenders).await?,
            );
            let [before, burst, after] = burst(&fleet, of(TIMES)).await?;
            line(format!("{BROWSERS} browsers, before the burst"), before);
            line(format!("{} browsers, the burst", BROWSERS * of(TIMES)), burst);
            line(format!("{BROWSERS} browsers, after the burst"), after);
        }
    }
    Ok(Table(lines))
}

/// Opens them, logs in on each, and reads on each, twice, all of them at the same time.
async fn connections(fleet: &Fleet, count: usize) -> io::Result<Measured> {
    let mut crowd = Crowd::open(fleet, count, "crowd").await?;
    let mut measured = Measured::begin(fleet).await?;
    measured.add(crowd.login().await);
    for _ in 0..2 {
        measured.add(crowd.read().await);
    }
    measured.note_size(fleet).await?;
    drop(crowd);
    measured.end(fleet).await
}

/// All of them count on the same session.
async fn contended(fleet: &Fleet, count: usize) -> io::Result<Measured> {
    let mut first = Crowd::open(fleet, 1, "one").await?;
    let mut measured = Measured::begin(fleet).await?;
    measured.add(first.login().await);
    let mut crowd = Crowd::open(fleet, count, "one").await?;
    crowd.share(&first);
    let counted = crowd.count().await;
    let (yes, unknown) = (counted.yes, counted.refused);
    measured.add(counted);
    measured.note_size(fleet).await?;
    let count = first.counted().await?;
    drop((first, crowd));
    if !(yes..=yes + unknown).contains(&count) {
        measured.wrong.push(format!(
            "{yes} updates were acknowledged, {unknown} refused, and {count} counted"
        ));
    }
    measured.end(fleet).await
}

/// Few browsers, many, and few again; all with the same rests.
async fn burst(fleet: &Fleet, times: usize) -> io::Result<[Measured; 3]> {
    let mut phases = Vec::new();
    for (browsers, name) in [(BROWSERS, "before"), (BROWSERS * times, "burst"), (BROWSERS, "after")] {
        let mut crowd = Crowd::open(fleet, browsers, name).await?;
        let mut measured = Measured::begin(fleet).await?;
        measured.add(crowd.browse(WHILE).await);
        measured.note_size(fleet).await?;
        drop(crowd);
        phases.push(measured.end(fleet).await?);
    }
    let mut phases = phases.into_iter();
    let (Some(before), Some(burst), Some(mut after)) = (phases.next(), phases.next(), phases.next()) else {
        return Err(io::Error::other("there are three phases"));
    };
    if after.quantile(50) > 3 * before.quantile(50) + Duration::from_millis(5) {
        after.wrong.push("it is slower than before".to_owned());
    }
    if after.refused > 0 {
        after.wrong.push(format!("{} are still refused", after.refused));
    }
    Ok([before, burst, after])
}

/// A connection to one of the instances, in turns.
async fn connect(fleet: &Fleet, number: usize) -> io::Result<Connection> {
    let ports = fleet.ports();
    Connection::open(ports[number % ports.len()].load(Ordering::Relaxed)).await
}
