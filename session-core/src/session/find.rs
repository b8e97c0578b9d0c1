use std::time::Duration;

use super::{Handle, audit::Event};
use crate::{Error, Loaded, SessionId, SessionToken, layer::Place};

/// Tokens, each with its id.
type Tokens = Vec<(SessionId, SessionToken)>;

/// How many renewals by time are followed: one from a cookie, and those of five minutes from a stream's old session.
const MOST_HOPS: u32 = 8;

/// How a request's session is found, under whatever token it has by now.
impl Handle {
    pub(super) async fn load(&self) -> Result<(), Error> {
        let candidates = self.cookies.candidates(&self.config.cookie);
        if !candidates.is_empty() {
            let sent: Vec<SessionId> = candidates.iter().map(|(id, _)| *id).collect();
            let (loaded, tokens) = match self.near(&sent) {
                Some(loaded) => (loaded, candidates),
                None => self.find(candidates, Loaded::GRACE).await?,
            };
            self.audit_opening(&sent, &loaded);
            self.take_over(loaded, &tokens, &sent);
        }
        Ok(())
    }

    /// The first live session of these tokens, if this instance has read it lately.
    fn near(&self, ids: &[SessionId]) -> Option<Loaded> {
        let cache = self.shared.store.near_cache()?;
        let bypass = self.cookies.bypass(cache, &self.config.cookie);
        cache.get(ids).filter(|_| !bypass)
    }

    /// Loads the first live session of these tokens. Beside a token that a renewal by time has replaced, less than `grace`
    /// ago, its successor is looked for.
    pub(super) async fn find(&self, mut tokens: Tokens, grace: Duration) -> Result<(Loaded, Tokens), Error> {
        let mut hops = 0;
        loop {
            let ids: Vec<SessionId> = tokens.iter().map(|(id, _)| *id).collect();
            let loaded = self.budget.read(self.shared.store.load(&ids)).await?;
            let next = match &loaded {
                Loaded::Renewed(marker) if marker.age < grace && hops < MOST_HOPS => {
                    let replaced = tokens.iter().position(|(id, _)| *id == marker.id);
                    replaced.zip(marker.nonce.as_ref())
                }
                _ => None,
            };
            let Some((replaced, nonce)) = next else {
                return Ok((loaded, tokens));
            };
            let successor = tokens[replaced].1.successor(nonce);
            tokens.insert(replaced, (successor.id(), successor));
            hops += 1;
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
        let (loaded, tokens) = self.find(vec![(id, token)], Duration::MAX).await?;
        let caught_up = matches!(&loaded, Loaded::Live(found, _) if *found != id);
        if caught_up {
            self.take_over(loaded, &tokens, &[id]);
        }
        Ok(caught_up)
    }

    /// Takes over what was found. A browser that was not known to have the session's token learns it.
    pub(super) fn take_over(&self, loaded: Loaded, tokens: &[(SessionId, SessionToken)], known: &[SessionId]) {
        let mut state = self.state();
        state.open(loaded, tokens, &self.config);
        if let Some(current) = state.current.as_ref().filter(|current| !known.contains(&current.id)) {
            let token = current.token.clone();
            state.cookies.set(Place::Renewed, token);
        }
    }

    fn audit_opening(&self, ids: &[SessionId], loaded: &Loaded) {
        match loaded {
            Loaded::Live(id, record) if record.is_locked(record.loaded_at) => {
                self.audit(Event::Locked, Some(id), record.user.as_deref());
            }
            Loaded::Renewed(marker) if marker.age >= Loaded::JUST_RENEWED => {
                self.audit(Event::ReusedToken, Some(&marker.id), None);
            }
            Loaded::Live(..) | Loaded::Renewed(_) => {}
            Loaded::Missing => self.audit(Event::UnknownSession, ids.first(), None),
        }
    }
}
