//! How commands reach the nodes of a cluster that have their keys.

use std::sync::Arc;

use futures_util::future::join_all;
use redis::{Cmd, Pipeline, Value};
use session_core::Error;
use tokio::time::{Instant, sleep, timeout_at};

use crate::{
    address::Address, backoff::pause, cluster::Cluster, envelope, error::Effect, redirect::Redirect, reply::read_time,
    server::Server, slot::Slot, table::Table,
};

/// How often a command is sent on while nodes disagree. Each time costs a round trip, so the deadline comes first only
/// if it has to wait.
const TRIES: u32 = 16;

/// From when on there is a pause: nodes that disagree need time.
const PATIENCE: u32 = 3;

/// A command that is under way.
struct Errand<'a> {
    command: &'a Cmd,
    slot: Slot,
    /// Where a node said that it has to go, and whether only this once.
    sent_on: Option<(Address, bool)>,
    answer: Option<Value>,
    /// What was said instead of an answer.
    excuse: Option<Value>,
    is_taught: bool,
}

/// What goes to one node in one go.
struct Trip {
    server: Arc<Server>,
    address: Address,
    /// Whether keys are asked for that are about to be the node's.
    asks: bool,
    errands: Vec<usize>,
}

/// What a round of trips has shown.
#[derive(Default)]
struct Findings {
    /// The table is not right any more, and perhaps who knows better.
    stale: Option<Option<Address>>,
    later: bool,
    /// Nobody answered there, or has nothing to serve.
    down: Vec<(usize, Arc<Server>)>,
    failure: Option<Error>,
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
        let options = &self.dialer.options;
        let waiting = options
            .replicas
            .map_or_else(Default::default, |replicas| 2 * replicas.within);
        let by = Instant::now() + options.connect_timeout + options.command_timeout + waiting;
        let mut errands: Vec<_> = commands.cmd_iter().map(Errand::new).collect();
        for round in 1.. {
            let table = self.table(by).await?;
            let trips = match self.trips(&errands, &table) {
                Ok(trips) => trips,
                Err(lost) => {
                    let newer = self.refresh(Some(&table), None, by).await?;
                    self.trips(&errands, &newer).map_err(|_| lost)?
                }
            };
            if trips.is_empty() {
                break;
            }
            let whole = (trips.len() == 1 && round == 1).then_some(commands);
            let sent = trips.iter().map(|trip| trip.make(&errands, whole, effect, by));
            let mut findings = Findings::default();
            for (trip, answers) in trips.iter().zip(join_all(sent).await) {
                trip.unpack(answers, &mut errands, &mut findings)?;
            }
            self.heed(findings, &mut errands, &table, by, round).await?;
        }
        Ok(errands.into_iter().filter_map(|errand| errand.answer).collect())
    }

    /// Where everything goes that has no answer yet.
    fn trips(&self, errands: &[Errand<'_>], table: &Table) -> Result<Vec<Trip>, Error> {
        let mut trips: Vec<Trip> = Vec::new();
        for (i, errand) in errands.iter().enumerate().filter(|(_, errand)| errand.answer.is_none()) {
            let (address, server, asks) = match &errand.sent_on {
                Some((address, asks)) => (address.clone(), self.server(address), *asks),
                None => {
                    let (address, server) = table
                        .owner(errand.slot)
                        .ok_or(Lost::Slot(errand.slot))
                        .map_err(Error::unavailable)?;
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
            stale,
            later,
            down,
            failure,
        } = findings;
        if let Some(hint) = stale {
            let newer = self.refresh(Some(table), hint.as_ref(), by).await;
            for (i, server) in down {
                let errand = &mut errands[i];
                let owner = newer.as_ref().ok().and_then(|newer| newer.owner(errand.slot));
                let has_moved = owner.is_some_and(|(_, owner)| !Arc::ptr_eq(owner, &server));
                if has_moved || errand.sent_on.take().is_some() && round < PATIENCE {
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

impl Trip {
    /// Sends the commands, and returns an answer for each. `whole` are all of them as they came, if they go together.
    async fn make(
        &self,
        errands: &[Errand<'_>],
        whole: Option<&Pipeline>,
        effect: Effect,
        by: Instant,
    ) -> Result<Vec<Value>, Error> {
        let connection = &self.server.connection;
        let wants_time = effect == Effect::Reads && connection.clock.is_old();
        if let (Some(whole), false) = (whole, wants_time) {
            return self.server.exchange(whole, effect, Some(by)).await;
        }
        let mut commands = redis::pipe();
        for i in &self.errands {
            if self.asks {
                commands.cmd("ASKING");
            }
            commands.add_command(errands[*i].command.clone());
        }
        if wants_time {
            commands.cmd("TIME");
        }
        let mut answers = self.server.exchange(&commands, effect, Some(by)).await?;
        if wants_time
            && let Some(time) = answers.pop().and_then(|time| envelope::open(time).ok())
            && let Some(time) = read_time(&time)
        {
            connection.clock.set(time);
        }
        if self.asks {
            answers = answers.into_iter().skip(1).step_by(2).collect();
        }
        let unknown = |i: &usize, answer: &Value| {
            !errands[*i].is_taught && Redirect::read(answer, &self.address) == Some(Redirect::NoScript)
        };
        if self.errands.iter().zip(&answers).any(|(i, answer)| unknown(i, answer)) {
            // If that fails, the node says again that it does not know it.
            let _taught = connection.teach().await;
        }
        Ok(answers)
    }

    fn unpack(
        &self,
        answers: Result<Vec<Value>, Error>,
        errands: &mut [Errand<'_>],
        findings: &mut Findings,
    ) -> Result<(), Error> {
        let down = |i: usize| (i, Arc::clone(&self.server));
        let answers = match answers {
            Ok(answers) => answers,
            // Nothing was done.
            Err(error @ Error::Unavailable { .. }) => {
                findings.stale.get_or_insert_default();
                findings.failure = Some(error);
                findings.down.extend(self.errands.iter().copied().map(down));
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        for (i, answer) in self.errands.iter().copied().zip(answers) {
            let errand = &mut errands[i];
            let redirect = match Redirect::read(&answer, &self.address) {
                None => {
                    errand.answer = Some(answer);
                    continue;
                }
                Some(Redirect::NoScript) if errand.is_taught => {
                    errand.answer = Some(answer);
                    continue;
                }
                Some(redirect) => redirect,
            };
            errand.excuse = Some(answer);
            match redirect {
                Redirect::Moved(to) => {
                    findings.stale = Some(Some(to.clone()));
                    errand.sent_on = Some((to, false));
                }
                Redirect::Ask(to) => errand.sent_on = Some((to, true)),
                Redirect::Later => {
                    findings.later = true;
                    errand.sent_on = None;
                }
                Redirect::Down => {
                    findings.stale.get_or_insert_default();
                    findings.down.push(down(i));
                }
                Redirect::NoScript => errand.is_taught = true,
            }
        }
        Ok(())
    }
}

impl From<Lost> for Error {
    fn from(lost: Lost) -> Self {
        Self::unavailable(lost)
    }
}
