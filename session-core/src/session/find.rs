use std::time::Duration;

use super::{Handle, audit::Event};
use crate::{Error, Loaded, SessionId, SessionToken, layer::Place};

/// Tokens, each with its id.
type Tokens = Vec<(SessionId, SessionToken)>;

/// What a search found.
pub(super) struct Found {
    pub(super) loaded: Loaded,
    tokens: Tokens,
    /// Those of the tokens that the browser was not known to have.
    successors: Vec<SessionId>,
}

/// How many renewals by time are followed: one from a cookie, and those of five minutes from a stream's old session.
const MOST_HOPS: usize = 8;

/// How a request's session is found, under whatever token it has by now.
impl Handle {
    pub(super) async fn load(&self) -> Result<(), Error> {
        let candidates = self.cookies.candidates(&self.config.cookie);
        if !candidates.is_empty() {
            let first = candidates.first().map(|(id, _)| *id);
            let found = match self.find_near(candidates) {
                Ok(found) => found,
                Err(candidates) => self.find(candidates, Loaded::GRACE).await?,
            };
            self.audit_opening(first, &found.loaded);
            self.take_over(found);
        }
        Ok(())
    }

    /// Finds the first live session of these tokens in the near cache; else gives them back.
    fn find_near(&self, tokens: Tokens) -> Result<Found, Tokens> {
        let near = || {
            let cache = self.shared.store.near_cache()?;
            if self.cookies.bypass(cache, &self.config.cookie) {
                return None;
            }
            let ids: Vec<SessionId> = tokens.iter().map(|(id, _)| *id).collect();
            cache.get(&ids)
        };
        match near() {
            Some(loaded) => Ok(Found {
                loaded,
                tokens,
                successors: Vec::new(),
            }),
            None => Err(tokens),
        }
    }

    /// Loads the first live session of these tokens. Beside a token that a renewal by time has replaced, less than
    /// `grace` ago, its successor is looked for.
    pub(super) async fn find(&self, mut tokens: Tokens, grace: Duration) -> Result<Found, Error> {
        let mut successors = Vec::new();
        loop {
            let ids: Vec<SessionId> = tokens.iter().map(|(id, _)| *id).collect();
            let loaded = self.budget.read(self.shared.store.load(&ids)).await?;
            let next = match &loaded {
                Loaded::Renewed(marker) if marker.age < grace && successors.len() < MOST_HOPS => {
                    let replaced = tokens.iter().position(|(id, _)| *id == marker.id);
                    replaced.zip(marker.nonce.as_ref())
                }
                _ => None,
            };
            let Some((replaced, nonce)) = next else {
                return Ok(Found {
                    loaded,
                    tokens,
                    successors,
                });
            };
            let successor = tokens[replaced].1.successor(nonce);
            successors.push(successor.id());
            tokens.insert(replaced, (successor.id(), successor));
        }
    }

    /// Finds the session of this request again if another request has just renewed it by time; whether it has.
    pub(super) async fn catch_up(&self) -> Result<bool, Error> {
        let current = self
            .state()
            .current
            .as_ref()
            .map(|current| (current.id, current.token.clone()));
        let Some((id, token)) = current else {
            return Ok(false);
        };
        let found = self.find(vec![(id, token)], Duration::MAX).await?;
        let caught_up = matches!(&found.loaded, Loaded::Live(by_now, _) if *by_now != id);
        if caught_up {
            self.take_over(found);
        }
        Ok(caught_up)
    }

    /// Takes over what was found. A browser that was not known to have the session's token learns it.
    pub(super) fn take_over(&self, found: Found) {
        let mut state = self.state();
        state.open(found.loaded, &found.tokens, &self.config);
        let current = state.current.as_ref();
        if let Some(current) = current.filter(|current| found.successors.contains(&current.id)) {
            let token = current.token.clone();
            state.cookies.set(Place::Renewed, token);
        }
    }

    fn audit_opening(&self, first: Option<SessionId>, loaded: &Loaded) {
        match loaded {
            Loaded::Live(id, record) if record.is_locked(record.loaded_at) => {
                self.audit(Event::Locked, Some(id), record.user.as_deref());
            }
            Loaded::Renewed(marker) if marker.age >= Loaded::JUST_RENEWED => {
                self.audit(Event::ReusedToken, Some(&marker.id), None);
            }
            Loaded::Live(..) | Loaded::Renewed(_) => {}
            Loaded::Missing => self.audit(Event::UnknownSession, first.as_ref(), None),
        }
    }
}
