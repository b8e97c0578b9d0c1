use super::{Handle, state::Step};
use crate::{Change, Delta, Error, NewSession, SessionId, SessionToken, Update, Value, layer::Place};

/// Makes a key's new value of its newest one.
type Apply<'a> = &'a mut (dyn FnMut(Option<&Value>) -> Result<Value, Error> + Send);

impl Handle {
    /// Applies `apply` to the newest value of `key` in the store.
    pub(crate) async fn update(&self, key: &str, apply: Apply<'_>) -> Result<(), Error> {
        if self
            .config
            .user_from
            .as_ref()
            .is_some_and(|(names_user, _)| names_user == key)
        {
            return Err(Error::InvalidKey {
                key: key.to_owned(),
                reason: "user_from reads the user from it, so it changes with a login in the commit: insert it",
            });
        }
        let id = {
            let _turn = self.turn.lock().await;
            if self.state().passes_to_another() {
                return self.update_own(key, apply);
            }
            let current = self.state().current.as_ref().map(|current| current.id);
            match current {
                Some(id) => id,
                None => return self.create_with(key, apply).await,
            }
        };
        let _turn = self
            .budget
            .read(async { Ok(self.shared.contenders.turn(id, key).await) })
            .await?;
        self.compare_and_set(id, key, apply).await
    }

    /// Of a session that the pending login begins anew, the newest value is this request's own.
    fn update_own(&self, key: &str, apply: Apply<'_>) -> Result<(), Error> {
        let mut state = self.state();
        let value = apply(state.value(key))?;
        state.delta.set(key, value)
    }

    async fn compare_and_set(&self, id: SessionId, key: &str, apply: Apply<'_>) -> Result<(), Error> {
        let (mut known, is_own_change, touch) = {
            let state = self.state();
            let touch = state.current.as_ref().is_some_and(|current| current.touch_due);
            (state.value(key).cloned(), state.change(key).is_some(), touch)
        };
        loop {
            let value = apply(known.as_ref())?;
            let mut update = Update::new(single(key, value.clone())?);
            update.touch = touch;
            update.max_size = self.config.max_size;
            // A change of this request's own to the key comes first, whatever the store has.
            if !is_own_change {
                update = update.expecting(key, known);
            }
            match self.budget.write(self.shared.store.update(&id, &update)).await {
                Err(Error::Conflict { current }) => known = current,
                Err(error) => return Err(error),
                Ok(_) => {
                    let mut state = self.state();
                    state.delta.forget(key);
                    if let Some(current) = &mut state.current {
                        current.data.insert(key.to_owned(), value);
                        current.touch_due = false;
                    }
                    return Ok(());
                }
            }
        }
    }

    /// Creates the session that the first value needs. The caller holds the turn.
    async fn create_with(&self, key: &str, apply: Apply<'_>) -> Result<(), Error> {
        let pending = match self.state().change(key) {
            Some(Change::Set(value)) => Some(value.clone()),
            _ => None,
        };
        self.state().check_new()?;
        let mut new = NewSession::new(self.config.lifetime).with_delta(single(key, apply(pending.as_ref())?)?);
        new.max_size = self.config.max_size;
        let mut step = Step::Create(SessionToken::random()?, Place::Visitor, new);
        self.perform(&mut step).await?;
        let mut state = self.state();
        state.delta.forget(key);
        state.settle(step);
        Ok(())
    }
}

fn single(key: &str, value: Value) -> Result<Delta, Error> {
    let mut delta = Delta::default();
    delta.set(key, value)?;
    Ok(delta)
}
