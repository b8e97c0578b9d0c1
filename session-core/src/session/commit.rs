use std::sync::Arc;

use super::{Handle, state::Step};
use crate::Error;

impl Handle {
    /// Does what is to be done, in one operation of the store. It completes even if the caller goes away.
    pub(crate) async fn commit(self: &Arc<Self>) -> Result<(), Error> {
        if !self.state().has_work() {
            let _what_is_in_flight_is_done = self.turn.lock().await;
            return Ok(());
        }
        self.in_turn(async move |handle| handle.commit_in_turn().await).await
    }

    async fn commit_in_turn(&self) -> Result<(), Error> {
        let step = self.state().take_step(&self.config)?;
        if self.state().head_sent && matches!(step, Step::Create(..) | Step::Renew(..)) {
            self.state().abandon();
            return Err(Error::TooLate {
                action: "log in or write to a new session",
            });
        }
        let done = self.perform(&step).await;
        let mut state = self.state();
        match done {
            Ok(()) => state.settle(step),
            Err(_) => state.abandon(),
        }
        done
    }

    /// Does the step. A creation or renewal whose outcome is unknown is tried once more if there is time, for done
    /// twice it is the same; nothing else is.
    pub(super) async fn perform(&self, step: &Step) -> Result<(), Error> {
        match (step, self.attempt(step).await) {
            (Step::Create(..) | Step::Renew(..), Err(Error::Unknown { .. })) if !self.budget.is_spent() => {
                self.attempt(step).await
            }
            (_, outcome) => outcome,
        }
    }

    async fn attempt(&self, step: &Step) -> Result<(), Error> {
        let store = &self.shared.store;
        match step {
            Step::Nothing => Ok(()),
            Step::Touch(id) => {
                // Nothing of the request depends on it, so its response stands.
                if let Err(error) = self.budget.write(store.touch(id)).await {
                    tracing::debug!(error = &error as &dyn std::error::Error, session = %id, "not touched");
                }
                Ok(())
            }
            Step::Update(id, update) => self.budget.write(store.update(id, update)).await.map(drop),
            Step::Create(token, _, new) => self.budget.write(store.create(&token.id(), new)).await.map(drop),
            Step::Renew(from, token, renewal) => self
                .budget
                .write(store.renew(from, &token.id(), renewal))
                .await
                .map(drop),
        }
    }
}
