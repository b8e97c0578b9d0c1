use std::sync::Arc;

use redis::{Pipeline, Value};
use session_core::Error;
use tokio::time::Instant;

use super::{errand::Errand, redirect::Redirect};
use crate::{
    error::Effect,
    reply::{is_no_script, read_time},
    servers::Server,
    wire::{Address, envelope},
};

/// What goes to one node in one go.
pub(crate) struct Trip {
    pub(crate) server: Arc<Server>,
    pub(crate) address: Address,
    /// Whether keys are asked for that are about to be the node's.
    pub(crate) asks: bool,
    /// Their numbers.
    pub(crate) errands: Vec<usize>,
}

/// What a round of trips has shown.
#[derive(Default)]
pub(crate) struct Findings {
    /// The table is not right any more, and this node knows more.
    pub(crate) better: Option<Address>,
    /// Some node is not ready.
    pub(crate) later: bool,
    /// What came to a node that did not answer, or has nothing to serve, and which one that is.
    pub(crate) down: Vec<(usize, Address)>,
    pub(crate) failure: Option<Error>,
}

impl Trip {
    /// Sends the commands, and returns an answer for each. `whole` are all of them as they came, if they go together.
    pub(crate) async fn make(
        &self,
        errands: &[Errand<'_>],
        whole: Option<&Pipeline>,
        effect: Effect,
        by: Instant,
    ) -> Result<Vec<Value>, Error> {
        let answers = match whole {
            Some(whole) if !self.wants_time(effect) => self.server.exchange(whole, effect, Some(by)).await?,
            _ => self.send(errands, effect, by).await?,
        };
        if answers.iter().any(is_no_script) {
            // If that fails, the node says again that it does not know it.
            let _taught = self.server.connection.teach().await;
        }
        Ok(answers)
    }

    async fn send(&self, errands: &[Errand<'_>], effect: Effect, by: Instant) -> Result<Vec<Value>, Error> {
        let wants_time = self.wants_time(effect);
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
            self.server.connection.clock.set(time);
        }
        if self.asks {
            answers = answers.into_iter().skip(1).step_by(2).collect();
        }
        Ok(answers)
    }

    /// Whether the node should be asked what time it is, as long as something is read there anyway.
    fn wants_time(&self, effect: Effect) -> bool {
        effect == Effect::Reads && self.server.connection.clock.is_old()
    }

    /// Takes what came of it.
    pub(crate) fn unpack(
        &self,
        answers: Result<Vec<Value>, Error>,
        errands: &mut [Errand<'_>],
        findings: &mut Findings,
    ) -> Result<(), Error> {
        let down = |i: usize| (i, self.address.clone());
        let answers = match answers {
            Ok(answers) => answers,
            // Nothing was done.
            Err(error @ Error::Unavailable { .. }) => {
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
                    findings.better = Some(to.clone());
                    errand.sent_on = Some((to, false));
                }
                Redirect::Ask(to) => errand.sent_on = Some((to, true)),
                Redirect::Later => {
                    findings.later = true;
                    errand.sent_on = None;
                }
                Redirect::Down => findings.down.push(down(i)),
                Redirect::NoScript => errand.is_taught = true,
            }
        }
        Ok(())
    }
}
