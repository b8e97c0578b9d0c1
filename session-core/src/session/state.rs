use http::StatusCode;

use super::{
    current::Current,
    step::{self, Intent, Step},
    vault::{Unreadable, Vault},
};
use crate::{
    Change, Data, Delta, Error, Loaded, NewSession, SessionId, SessionToken, Update, Value,
    layer::{Config, Place, SetCookies},
};

/// What a request knows of its session and what it has yet to do to it. Behind a lock that is never held over an
/// await.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) current: Option<Current>,
    /// Changes to commit.
    pub(crate) delta: Delta,
    /// Changes that are being committed.
    in_flight: Delta,
    pub(crate) intent: Option<Intent>,
    /// The intent that is being committed.
    intent_in_flight: Option<Intent>,
    pub(crate) cookies: SetCookies,
    /// A logout that failed, which a response of success would hide.
    pub(crate) failure: Option<Error>,
    /// Errors on the way to callers who may have stopped waiting for them, each at its caller's place.
    unheard: Vec<Option<Error>>,
    /// An error that a view met. The response is made of it, whatever the view's crate made of it.
    pub(crate) refusal: Option<Error>,
    pub(crate) best_effort: bool,
    /// The request does not count as activity.
    untouched: bool,
    /// The request has changed its session's data, under an id that other instances may know.
    pub(crate) has_written: bool,
    /// The request has begun a visitor's session. Where the browser has a cookie that comes before the visitor's, a
    /// near cache may still open what that one was.
    pub(crate) has_begun: bool,
    /// The last commit is done: no cookie can be set any more.
    pub(crate) closed: bool,
    /// There is no session because it has just been renewed, and the browser does not know yet.
    renewed_elsewhere: bool,
}

impl State {
    /// Takes over what the store found for these tokens.
    pub(crate) fn open(&mut self, loaded: Loaded, tokens: &[(SessionId, SessionToken)], config: &Config) {
        self.renewed_elsewhere = matches!(&loaded, Loaded::Renewed(marker) if marker.age < Loaded::JUST_RENEWED);
        self.current = match loaded {
            Loaded::Live(id, record) => {
                let token = tokens.iter().find(|(of, _)| *of == id);
                token.map(|(_, token)| Current::new(id, token, record, config))
            }
            Loaded::Renewed(_) | Loaded::Missing => None,
        };
        // When the response has begun no commit follows, which would touch.
        if let Some(current) = self.current.as_mut().filter(|_| self.untouched || self.closed) {
            current.leave_untouched();
        }
    }

    /// Keeps the request from counting as activity.
    pub(crate) fn leave_untouched(&mut self) {
        self.untouched = true;
        if let Some(current) = &mut self.current {
            current.leave_untouched();
        }
    }

    /// Keeps an error until its caller has heard it; the place where it is.
    pub(crate) fn leave(&mut self, error: Error) -> usize {
        self.unheard.push(Some(error));
        self.unheard.len() - 1
    }

    /// Takes what was left at this place, unless the response was made of it.
    pub(crate) fn hear(&mut self, place: usize) -> Option<Error> {
        self.unheard.get_mut(place)?.take()
    }

    /// Records that the browser is left without a session.
    pub(crate) fn forget(&mut self) {
        self.current = None;
        self.renewed_elsewhere = false;
        self.failure = None;
        self.discard();
        self.cookies.remove_all();
    }

    /// Whether a session may be created. Not beside one that has just been renewed: its browser would never see what
    /// was written.
    pub(crate) fn check_new(&self) -> Result<(), Error> {
        if self.closed {
            let action = "write to a new session";
            return Err(Error::TooLate { action });
        }
        if self.renewed_elsewhere {
            return Err(Error::Ended);
        }
        Ok(())
    }

    /// The error that a response with this status must not hide.
    pub(crate) fn take_error(&mut self, status: StatusCode) -> Option<Error> {
        let refusal = self.refusal.take();
        let refusal = refusal.filter(|error| !(self.best_effort && matches!(error, Error::Ended)));
        let unheard = self.unheard.iter_mut().find_map(Option::take);
        let hidden = self.failure.take().or(unheard);
        refusal.or(hidden.filter(|_| status.as_u16() < 400))
    }

    /// Whether there is an error that the response has to be asked about.
    pub(crate) fn is_in_trouble(&self) -> bool {
        self.refusal.is_some() || self.failure.is_some() || self.unheard.iter().any(Option::is_some)
    }

    /// Closes the state unless there is something to be done; whether it has.
    pub(crate) fn close_if_idle(&mut self) -> bool {
        let is_idle = !self.has_work() && !self.is_in_trouble();
        self.closed |= is_idle;
        is_idle
    }

    /// Whether the commit makes a token, as a login and a renewal do.
    pub(crate) fn makes_token(&self, config: &Config) -> bool {
        self.intent.is_some() || !matches!(self.login_by_value(config), Ok(None))
    }

    /// Whether a login is pending.
    pub(crate) fn is_login(&self, config: &Config) -> bool {
        let is_login = |intent: &Intent| matches!(intent, Intent::Login(Some(_), _));
        self.intent.as_ref().is_some_and(is_login)
            || self
                .login_by_value(config)
                .map_or(true, |intent| intent.as_ref().is_some_and(is_login))
    }

    /// The value of `key` as this request sees it: its own changes first.
    pub(crate) fn value(&self, key: &str) -> Result<Option<Value>, Unreadable> {
        match self.change(key) {
            Some(Change::Set(value)) => Ok(Some(value.clone())),
            Some(Change::Remove) => Ok(None),
            None => self.stored().and_then(|current| current.value(key)).transpose(),
        }
    }

    /// Whether `key` has a value, readable or not.
    pub(crate) fn contains(&self, key: &str) -> bool {
        match self.change(key) {
            Some(change) => *change != Change::Remove,
            None => self.stored().is_some_and(|current| current.data.contains_key(key)),
        }
    }

    /// The session as the store has it, as far as this request may still see it: who logs in finds nothing of somebody
    /// else's.
    fn stored(&self) -> Option<&Current> {
        let is_seen = !self.passes_to_another() && !self.is_locked();
        self.current.as_ref().filter(|_| is_seen)
    }

    /// Whether a login is pending that leaves the session's data behind.
    pub(crate) fn passes_to_another(&self) -> bool {
        let user = self.current.as_ref().and_then(|current| current.user.as_ref());
        matches!(&self.intent, Some(Intent::Login(next, _)) if user.is_some() && user != next.as_ref())
    }

    /// Whether the session is locked, and no pending login opens it.
    pub(crate) fn is_locked(&self) -> bool {
        !self.is_login_pending() && self.current.as_ref().is_some_and(|current| current.locked)
    }

    /// Whether what the session has changes by this request alone: a pending login begins anew, or opens what is
    /// locked.
    pub(crate) fn is_own(&self) -> bool {
        let opens = self.is_login_pending() && self.current.as_ref().is_some_and(|current| current.locked);
        opens || self.passes_to_another()
    }

    /// Whether the handler has logged somebody in, or nobody, and the store does not know yet.
    pub(crate) fn is_login_pending(&self) -> bool {
        matches!(self.intent, Some(Intent::Login(..)))
    }

    /// What this request did to `key` and the store does not have yet.
    pub(crate) fn change(&self, key: &str) -> Option<&Change> {
        self.delta.get(key).or_else(|| self.in_flight.get(key))
    }

    /// The keys that have values, as this request sees them, in order.
    pub(crate) fn keys(&self) -> Vec<String> {
        let mut data = self.stored().map(|current| current.data.clone()).unwrap_or_default();
        self.apply_changes_to(&mut data);
        data.keys().cloned().collect()
    }

    /// What this request did to the session's data and the store does not have yet.
    pub(crate) fn apply_changes_to(&self, data: &mut Data) {
        self.in_flight.apply_to(data);
        self.delta.apply_to(data);
    }

    /// The values in the store that this request may see. One that cannot be read is left out and logged.
    #[cfg(any(feature = "tower-sessions", feature = "tower-sessions-014"))]
    pub(crate) fn opened(&self) -> Data {
        let Some(current) = self.stored() else {
            return Data::new();
        };
        let open = |(key, value): (&String, &Value)| match current.vault.open(key, value) {
            Ok(value) => Some((key.clone(), value)),
            Err(source) => {
                tracing::warn!(key, %source, "a session value cannot be decoded");
                None
            }
        };
        current.data.iter().filter_map(open).collect()
    }

    pub(crate) fn user(&self) -> Option<&str> {
        match &self.intent {
            Some(Intent::Login(user, _)) => user.as_deref(),
            _ if self.is_locked() => None,
            _ => self.current.as_ref()?.user.as_deref(),
        }
    }

    /// Takes back what was not committed.
    pub(crate) fn discard(&mut self) {
        self.delta = Delta::default();
        self.intent = None;
    }

    pub(crate) fn has_work(&self) -> bool {
        !self.delta.is_empty()
            || self.intent.is_some()
            || self
                .current
                .as_ref()
                .is_some_and(|current| current.touch_due || current.renewal_due)
    }

    /// Takes the renewal out of the state that the age of the token asks for, unless another one is to be done, or no
    /// cookie can be set any more.
    pub(crate) fn take_renewal_by_time(&mut self, config: &Config) -> Result<Step, Error> {
        if self.makes_token(config) || self.closed {
            return Ok(Step::Nothing);
        }
        match self.current.as_mut().filter(|current| current.renewal_due) {
            Some(current) => {
                current.renewal_due = false;
                step::renewal_by_time(current)
            }
            None => Ok(Step::Nothing),
        }
    }

    /// Takes what is to be done out of the state again, after a step that was not done.
    pub(crate) fn retake_step(&mut self, config: &Config) -> Result<Step, Error> {
        let newer = std::mem::take(&mut self.delta);
        self.delta = std::mem::take(&mut self.in_flight);
        self.delta.extend(newer);
        self.intent = self.intent.take().or(self.intent_in_flight.take());
        self.take_step(config)
    }

    /// Takes what is to be done out of the state, as the one operation that does it.
    pub(crate) fn take_step(&mut self, config: &Config) -> Result<Step, Error> {
        let step = self.step(config);
        if step.is_err() {
            self.discard();
        }
        step
    }

    fn step(&mut self, config: &Config) -> Result<Step, Error> {
        self.intent_in_flight.clone_from(&self.intent);
        let intent = match self.intent.take() {
            login @ Some(Intent::Login(..)) => login,
            // Who keeps the user in a value renews the session before writing it: one step does both.
            other => self.login_by_value(config)?.or(other),
        };
        let delta = std::mem::take(&mut self.delta);
        let Some(current) = &mut self.current else {
            let step = step::new_session(&delta, intent.as_ref(), config)?;
            if matches!(step, Step::Create(..)) && intent.is_none() {
                self.check_new()?;
            }
            return Ok(step);
        };
        let is_login = matches!(intent, Some(Intent::Login(..)));
        if current.locked && !is_login && (intent.is_some() || !delta.is_empty()) {
            return Err(Error::Locked);
        }
        let step = match intent {
            Some(intent) => step::renewal(current, intent, &delta, config)?,
            None if !delta.is_empty() => step::change(current, &delta, config)?,
            // A renewal is activity.
            None if current.touch_due && !current.renewal_due => Step::Touch(current.id),
            None => Step::Nothing,
        };
        current.touch_due = false;
        self.in_flight = delta;
        Ok(step)
    }

    /// The login that a change of the value which names the user is.
    fn login_by_value(&self, config: &Config) -> Result<Option<Intent>, Error> {
        let Some((key, user_of)) = &config.user_from else {
            return Ok(None);
        };
        let Some(change) = self.delta.get(key) else {
            return Ok(None);
        };
        // What opens a locked session is a login, also of the same user.
        let current = self.current.as_ref().filter(|current| !current.locked);
        let before = current.and_then(|current| current.value(key));
        Ok(match (change, before) {
            (Change::Set(value), Some(Ok(before))) if *value == before => None,
            (Change::Set(value), _) => Some(Intent::Login(user_of(value)?, Box::default())),
            (Change::Remove, Some(_)) => Some(Intent::Login(None, Box::default())),
            (Change::Remove, None) => None,
        })
    }

    /// Records that the step was done.
    pub(crate) fn settle(&mut self, step: Step, config: &Config) {
        self.in_flight = Delta::default();
        self.intent_in_flight = None;
        match step {
            Step::Nothing | Step::Touch(_) => {}
            Step::Update(_, update) => self.updated(update, config),
            Step::Create(token, place, new) => self.begin(token, place, &new, config),
            Step::Renew(_, token, renewal) => {
                let place = match renewal.nonce {
                    Some(_) => Place::Renewed,
                    None => Place::Login,
                };
                if let Some(current) = &mut self.current {
                    current.renewed(&token, renewal, config);
                }
                self.cookies.set_only(place, token);
            }
        }
    }

    /// Records that this update was made.
    pub(crate) fn updated(&mut self, update: Update, config: &Config) {
        let Some(current) = &mut self.current else {
            return;
        };
        self.has_written = true;
        update.delta.apply_to(&mut current.data);
        if update.seal.is_some() {
            current.vault = Vault::new(&current.token, update.seal, config);
        }
    }

    /// Records that the step was not done, or not for certain: its changes are not tried again.
    pub(crate) fn abandon(&mut self) {
        self.in_flight = Delta::default();
        self.intent_in_flight = None;
    }

    /// Records that a session of this request was created.
    fn begin(&mut self, token: SessionToken, place: Place, new: &NewSession, config: &Config) {
        self.current = Some(Current::begun(token.clone(), new, config));
        self.has_begun |= place == Place::Visitor;
        self.cookies.set_only(place, token);
    }
}
