//! How commands reach the nodes of a cluster that have their keys.

use std::sync::Arc;

use futures_util::future::join_all;
use redis::{Cmd, Pipeline, Value};
use session_core::Error;
use tokio::time::{Instant, sleep, timeout_at};

use super::{
    cluster::Cluster,
    slot::Slot,
    table::Table,
    trip::{Findings, Trip},
};
use crate::{backoff::pause, error::Effect, wire::Address};

/// How often a command is sent on while nodes disagree. Each time costs a round trip, so the deadline comes first only
/// if it has to wait.
const TRIES: u32 = 16;

/// From when on there is a pause: nodes that disagree need time.
const PATIENCE: u32 = 3;

/// A command that is under way.
pub(crate) struct Errand<'a> {
    pub(crate) command: &'a Cmd,
    slot: Slot,
    /// Where a node said that it has to go, and whether only this once.
    pub(crate) sent_on: Option<(Address, bool)>,
    pub(crate) answer: Option<Value>,
    /// What was said instead of an answer.
    pub(crate) excuse: Option<Value>,
    /// Whether the node has been taught the script that it did not know.
    pub(crate) is_taught: bool,
}

#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error("no node of the cluster has the slot {}", .0.0)]
    Slot(Slot),

    #[error("the nodes of the cluster do not agree who has the slot {}", .0.0)]
    Way(Slot),
}

impl Cluster {
    /// Sends each command to the node that has its key, all at once, and returns their answers in their envelopes, in
    /// the order of the commands.
    ///
    /// What a node did not do because the key is elsewhere, or does not know how to do, is sent again. So is what could
    /// not be sent at all, if there is another node for it by then. All ends by one deadline.
    pub(crate) async fn exchange(&self, commands: &Pipeline, effect: Effect) -> Result<Vec<Value>, Error> {
        let mut errands: Vec<_> = commands.cmd_iter().map(Errand::new).collect();
        let failed = self.run(&mut errands, commands, effect).await.err();
        let answers: Vec<_> = errands.into_iter().filter_map(|errand| errand.answer).collect();
        match failed {
            None => Ok(answers),
            // Something was done, if not all.
            Some(Error::Unavailable { source }) if effect != Effect::Reads && !answers.is_empty() => {
                Err(Error::Unknown { source })
            }
            Some(error) => Err(error),
        }
    }

    /// Goes on until all have an answer.
    async fn run(&self, errands: &mut [Errand<'_>], commands: &Pipeline, effect: Effect) -> Result<(), Error> {
        let options = &self.dialer.options;
        let waiting = options
            .replicas
            .map_or_else(Default::default, |replicas| 2 * replicas.within);
        let by = Instant::now() + options.connect_timeout + options.command_timeout + waiting;
        for round in 1.. {
            let mut table = self.table(by).await?;
            let mut trips = self.trips(errands, &table);
            if trips.is_err() {
                table = self.refresh(Some(&table), None, &[], by).await?;
                trips = self.trips(errands, &table);
            }
            let trips = trips?;
            if trips.is_empty() {
                break;
            }
            let whole = (trips.len() == 1 && round == 1).then_some(commands);
            let sent = trips.iter().map(|trip| trip.make(errands, whole, effect, by));
            let mut findings = Findings::default();
            for (trip, answers) in trips.iter().zip(join_all(sent).await) {
                trip.unpack(answers, errands, &mut findings)?;
            }
            self.heed(findings, errands, &table, by, round).await?;
        }
        Ok(())
    }

    /// Where everything goes that has no answer yet.
    fn trips(&self, errands: &[Errand<'_>], table: &Table) -> Result<Vec<Trip>, Lost> {
        let mut trips: Vec<Trip> = Vec::new();
        for (i, errand) in errands.iter().enumerate().filter(|(_, errand)| errand.answer.is_none()) {
            let (address, server, asks) = match &errand.sent_on {
                Some((address, asks)) => (address.clone(), self.server(address), *asks),
                None => {
                    let (address, server) = table.owner(errand.slot).ok_or(Lost::Slot(errand.slot))?;
                    (address.clone(), Arc::clone(server), false)
                }
            };
            match trips
                .iter_mut()
                .find(|trip| trip.address == address && trip.asks == asks)
            {
                Some(trip) => trip.errands.push(i),
                None => trips.push(Trip {
                    server,
                    address,
                    asks,
                    errands: vec![i],
                }),
            }
        }
        Ok(trips)
    }

    /// Makes ready for the next round.
    async fn heed(
        &self,
        findings: Findings,
        errands: &mut [Errand<'_>],
        table: &Arc<Table>,
        by: Instant,
        round: u32,
    ) -> Result<(), Error> {
        let Findings {
            better,
            later,
            down,
            failure,
        } = findings;
        if better.is_some() || !down.is_empty() {
            let blamed: Vec<_> = down.iter().map(|(_, address)| address).collect();
            let newer = self.refresh(Some(table), better.as_ref(), &blamed, by).await;
            for (i, address) in &down {
                let errand = &mut errands[*i];
                let owner = newer.as_ref().ok().and_then(|newer| newer.owner(errand.slot));
                let has_moved = owner.is_some_and(|(owner, _)| owner != address);
                let was_sent_on = errand.sent_on.take().is_some();
                if has_moved || was_sent_on && round < PATIENCE {
                    continue;
                }
                match errand.excuse.take() {
                    Some(excuse) => errand.answer = Some(excuse),
                    None => return Err(failure.unwrap_or_else(|| Lost::Way(errand.slot).into())),
                }
            }
        }
        if later || round >= PATIENCE {
            let _late = timeout_at(by, sleep(pause(round))).await;
        }
        if Instant::now() >= by || round >= TRIES {
            for errand in errands.iter_mut().filter(|errand| errand.answer.is_none()) {
                let excuse = errand.excuse.take();
                errand.answer = Some(excuse.ok_or_else(|| Error::from(Lost::Way(errand.slot)))?);
            }
        }
        Ok(())
    }
}

impl<'a> Errand<'a> {
    fn new(command: &'a Cmd) -> Self {
        Self {
            command,
            slot: Slot::of_command(command).unwrap_or_default(),
            sent_on: None,
            answer: None,
            excuse: None,
            is_taught: false,
        }
    }
}

impl From<Lost> for Error {
    fn from(lost: Lost) -> Self {
        Self::unavailable(lost)
    }
}
