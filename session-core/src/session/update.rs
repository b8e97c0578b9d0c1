use super::{Handle, contenders::Turn, current::Current, session::undecodable, step::creation};
use crate::{Change, Delta, Error, NewSession, SessionId, Update, Value, layer::Place};

/// What is to be done to a key, judged by its newest value; nothing if that is refused.
type Apply<'a> = &'a mut (dyn FnMut(Option<&Value>) -> Result<Option<Change>, Error> + Send);

impl Handle {
    /// Applies `apply` to the newest value of `key` in the store.
    pub(crate) async fn update(&self, key: &str, apply: Apply<'_>) -> Result<(), Error> {
        if self.config.names_user(key) {
            return Err(Error::InvalidKey {
                key: key.to_owned(),
                reason: "user_from reads the user from it, so it changes with a login in the commit: insert it",
            });
        }
        let id = {
            let _turn = self.turn.lock().await;
            if self.state().is_locked() {
                return Err(Error::Locked);
            }
            if self.state().is_own() {
                return self.update_own(key, apply);
            }
            let current = self.state().current.as_ref().map(|current| current.id);
            match current {
                Some(id) => id,
                None => return self.create_with(key, apply).await,
            }
        };
        match self.update_in_turn(id, key, &mut *apply).await {
            // Another request has renewed the session by time, and the change would have sealed it.
            Err(Error::Ended) if self.catch_up().await? => {
                let id = self.of_current(|current| Ok(current.id))?;
                self.update_in_turn(id, key, apply).await
            }
            outcome => outcome,
        }
    }

    async fn update_in_turn(&self, id: SessionId, key: &str, apply: Apply<'_>) -> Result<(), Error> {
        let turn = async { Ok(self.shared.contenders.turn(id, key).await) };
        let mut turn = self.budget.read(turn).await?;
        self.compare_and_set(id, key, apply, &mut turn).await
    }

    /// Of a session that the pending login begins anew, or opens, nobody else changes a value meanwhile.
    fn update_own(&self, key: &str, apply: Apply<'_>) -> Result<(), Error> {
        let mut state = self.state();
        let known = state.value(key).map_err(|source| undecodable(key, source))?;
        match apply(known.as_ref())? {
            Some(Change::Set(value)) => state.delta.set(key, value)?,
            Some(Change::Remove) => state.delta.remove(key),
            None => {}
        }
        Ok(())
    }

    async fn compare_and_set(
        &self,
        id: SessionId,
        key: &str,
        apply: Apply<'_>,
        turn: &mut Turn<'_>,
    ) -> Result<(), Error> {
        // A change of this request's own to the key comes first, whatever the store has.
        let own = self.state().change(key).cloned();
        let mut stored = self.stored(key)?;
        let mut is_fresh = false;
        loop {
            if !is_fresh
                && let Some(newest) = turn.newest()
                && self.open_value(key, Some(&newest)).is_ok()
            {
                stored = Some(newest);
            }
            let known = match &own {
                Some(Change::Set(value)) => Some(value.clone()),
                Some(Change::Remove) => None,
                None => self.open_value(key, stored.as_ref())?,
            };
            let Some(change) = apply(known.as_ref())? else {
                if is_fresh || own.is_some() {
                    return Ok(());
                }
                // What was refused may not be the newest value, and may never be stored.
                self.reload().await?;
                stored = self.stored(key)?;
                is_fresh = true;
                continue;
            };
            let delta = single(key, change)?;
            let mut update = self.of_current(|current| {
                let (closed, seal) = current.vault.close(&delta)?;
                let mut update = Update::new(closed);
                update.seal = seal;
                update.touch = current.touch_due;
                Ok(update)
            })?;
            update.max_size = self.config.max_size;
            if own.is_none() {
                update = update.expecting(key, stored);
            }
            // The others do not know a seal before it is stored.
            let newest = match update.delta.get(key) {
                Some(Change::Set(value)) if update.seal.is_none() => Some(value.clone()),
                _ => None,
            };
            let write = self.budget.write(self.shared.store.update(&id, &update));
            match turn.write(newest, write).await {
                Err(Error::Conflict { current }) => {
                    let again = async {
                        turn.again().await;
                        Ok(())
                    };
                    self.budget.read(again).await?;
                    stored = current;
                    is_fresh = false;
                }
                Err(error) => return Err(error),
                Ok(_) => {
                    let mut state = self.state();
                    state.delta.forget(key);
                    state.updated(update, &self.config);
                    if let Some(current) = &mut state.current {
                        current.touch_due = false;
                    }
                    return Ok(());
                }
            }
        }
    }

    /// Asks the session that the request still has, or had until somebody logged out.
    fn of_current<T>(&self, ask: impl FnOnce(&Current) -> Result<T, Error>) -> Result<T, Error> {
        ask(self.state().current.as_ref().ok_or(Error::Ended)?)
    }

    /// What the store has of `key`, as far as this request knows.
    fn stored(&self, key: &str) -> Result<Option<Value>, Error> {
        self.of_current(|current| Ok(current.data.get(key).cloned()))
    }

    /// The value of `key`, of the one that the store has.
    fn open_value(&self, key: &str, stored: Option<&Value>) -> Result<Option<Value>, Error> {
        let open = |value| {
            self.of_current(|current| {
                let opened = current.vault.open(key, value);
                opened.map_err(|source| undecodable(key, source))
            })
        };
        stored.map(open).transpose()
    }

    /// Creates the session that the first value needs. The caller holds the turn.
    async fn create_with(&self, key: &str, apply: Apply<'_>) -> Result<(), Error> {
        let pending = match self.state().change(key) {
            Some(Change::Set(value)) => Some(value.clone()),
            _ => None,
        };
        self.state().check_new()?;
        let Some(change) = apply(pending.as_ref())? else {
            return Ok(());
        };
        if change == Change::Remove {
            self.state().delta.forget(key);
            return Ok(());
        }
        let delta = single(key, change)?;
        let mut step = creation(
            NewSession::new(self.config.lifetime),
            &delta,
            Place::Visitor,
            &self.config,
        )?;
        self.perform(&mut step).await?;
        let mut state = self.state();
        state.delta.forget(key);
        state.settle(step, &self.config);
        Ok(())
    }
}

fn single(key: &str, change: Change) -> Result<Delta, Error> {
    let mut delta = Delta::default();
    match change {
        Change::Set(value) => delta.set(key, value)?,
        Change::Remove => delta.remove(key),
    }
    Ok(delta)
}
