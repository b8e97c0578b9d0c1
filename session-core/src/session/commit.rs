use std::sync::Arc;

use http::StatusCode;

use super::{Handle, audit::Event, step::Step, to_its_end::ToItsEnd, vault::Vault};
use crate::{Error, Loaded, SessionToken, layer::Place};

impl Handle {
    /// Does what is to be done, in one operation of the store. It completes even if the caller goes away.
    pub(crate) async fn commit(self: &Arc<Self>) -> Result<(), Error> {
        if !self.state().has_work() {
            let _what_is_in_flight_is_done = self.turn.lock().await;
            return Ok(());
        }
        self.in_turn(async move |handle| handle.commit_in_turn().await).await
    }

    /// The last commit, for a response with this status; no cookie can be set after it. The error is what the response
    /// is to say instead.
    pub(crate) async fn close(self: &Arc<Self>, status: StatusCode) -> Result<(), Error> {
        self.forget_late_token().await;
        {
            let _what_is_in_flight_is_done = self.turn.lock().await;
            if self.state().close_if_idle() {
                return Ok(());
            }
        }
        let handle = Arc::clone(self);
        ToItsEnd::new(async move {
            let _turn = handle.turn.lock().await;
            let outcome = handle.close_in_turn(status).await;
            handle.state().closed = true;
            outcome
        })
        .await
    }

    /// [Closes](Self::close) a session that has nothing to be done, and nobody to wait for; whether it is one.
    pub(crate) fn close_at_once(&self) -> bool {
        let Ok(_nothing_is_in_flight) = self.turn.try_lock() else {
            return false;
        };
        let mut state = self.state();
        !state.cookies.has_late(Loaded::JUST_RENEWED) && state.close_if_idle()
    }

    async fn close_in_turn(&self, status: StatusCode) -> Result<(), Error> {
        let keeps_response = {
            let mut state = self.state();
            if let Some(error) = state.take_error(status) {
                state.discard();
                return Err(error);
            }
            // Nobody is logged in by an error, nor by a handler that was given up half-way.
            if status.is_server_error() || (status.is_client_error() && state.is_login(&self.config)) {
                state.discard();
            }
            state.best_effort && !state.makes_token(&self.config)
        };
        match self.commit_in_turn().await {
            Err(Error::Ended) if keeps_response => Ok(()),
            outcome => outcome,
        }
    }

    async fn commit_in_turn(&self) -> Result<(), Error> {
        let mut step = self.state().take_step(&self.config)?;
        if self.state().closed && matches!(step, Step::Create(..) | Step::Renew(..)) {
            self.state().abandon();
            return Err(Error::TooLate {
                action: "log in or write to a new session",
            });
        }
        let mut done = self.perform(&mut step).await;
        if matches!(done, Err(Error::Ended)) && step.follows_no_marker() {
            // Another request may have renewed the session by time.
            done = match self.catch_up().await {
                Ok(true) => {
                    step = self.state().retake_step(&self.config)?;
                    self.perform(&mut step).await
                }
                Ok(false) => done,
                Err(error) => Err(error),
            };
        }
        if let (Step::Update(id, update), Err(Error::TooLarge { .. })) = (&step, &done)
            && update.touch
        {
            // Refused, and activity all the same.
            self.attempt(&Step::Touch(*id)).await?;
        }
        self.audit_step(&step, &done);
        if done.is_err() {
            self.state().abandon();
            return done;
        }
        self.state().settle(step, &self.config);
        self.renew_by_time().await;
        Ok(())
    }

    /// Renews a session whose token has become old, once all that the request did is kept: so it takes none of its
    /// time. Nothing of the request depends on it, and whatever becomes of it the response stands: the next request
    /// tries again.
    async fn renew_by_time(&self) {
        let renewed = async {
            let mut step = self.state().take_renewal_by_time(&self.config)?;
            match self.perform(&mut step).await {
                // Another request was faster, and its token is this one's too.
                Err(Error::Ended) => self.catch_up().await.map(drop),
                done => {
                    self.audit_step(&step, &done);
                    done.map(|()| self.state().settle(step, &self.config))
                }
            }
        };
        if let Err(error) = renewed.await {
            tracing::debug!(error = &error as &dyn std::error::Error, "a token was not renewed");
        }
    }

    /// Looks again at a token from a renewal by time that has waited long for its response: the browser may have a
    /// newer one by now, which a late one must not replace.
    async fn forget_late_token(&self) {
        if self.state().cookies.take_late(Loaded::JUST_RENEWED) && self.reload().await.is_ok() {
            let mut state = self.state();
            if let Some(token) = state.current.as_ref().map(|current| current.token.clone()) {
                state.cookies.set(Place::Renewed, token);
            }
        }
    }

    /// Tells the auditor of a login or a renewal, and of a login that was refused.
    fn audit_step(&self, step: &Step, done: &Result<(), Error>) {
        let (event, from, id, user) = match step {
            Step::Create(token, _, new) if new.user.is_some() => (Event::Login, None, token.id(), &new.user),
            Step::Renew(from, token, renewal) => {
                let is_login = renewal.login.is_some();
                let event = if is_login { Event::Login } else { Event::Renewal };
                (event, Some(from), token.id(), &renewal.user)
            }
            _ => return,
        };
        match done {
            Ok(()) => self.audit_change(event, from, Some(&id), user.as_deref()),
            Err(Error::LimitReached { .. }) => self.audit(Event::LoginRefused, None, user.as_deref()),
            Err(_) => {}
        }
    }

    /// Does the step. A creation or renewal whose outcome is unknown is tried once more if there is time; nothing else
    /// is.
    pub(super) async fn perform(&self, step: &mut Step) -> Result<(), Error> {
        let outcome = self.attempt(step).await;
        if !matches!(outcome, Err(Error::Unknown { .. })) || self.budget.is_spent() {
            return outcome;
        }
        match step {
            // Done twice it is the same.
            Step::Renew(..) => {}
            Step::Create(token, _, new) => {
                // Somebody may have found it and ended it: it is not brought back, another takes its place.
                let ended = self.budget.write(self.shared.store.end(&token.id())).await;
                if ended.is_err() {
                    return outcome;
                }
                let next = SessionToken::random()?;
                let vault = Vault::new(token, new.seal.take(), &self.config);
                new.seal = vault.move_to(&next)?.seal().cloned();
                *token = next;
            }
            Step::Nothing | Step::Touch(_) | Step::Update(..) => return outcome,
        }
        match self.attempt(step).await {
            // This time it was not done. The first time?
            Err(Error::Unavailable { .. }) => outcome,
            second => second,
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
