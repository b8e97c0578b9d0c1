use std::mem;

use super::{
    life::Life,
    vault::{Unreadable, Vault},
};
use crate::{Data, NewSession, Record, Renewal, SessionId, SessionInfo, SessionToken, Value, layer::Config};

/// The live session of this request.
#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) id: SessionId,
    pub(crate) token: SessionToken,
    /// As the store has it: the vault opens it.
    pub(crate) data: Data,
    pub(crate) vault: Vault,
    pub(crate) user: Option<String>,
    pub(crate) touch_due: bool,
    /// Whether its token is old enough for another one.
    pub(crate) renewal_due: bool,
    /// Whether nothing but a login or its end may change it.
    pub(crate) locked: bool,
    pub(crate) life: Life,
    /// What else the store told of it when it was loaded.
    record: Option<Box<Record>>,
}

impl Current {
    /// A session that the store has.
    pub(super) fn new(id: SessionId, token: &SessionToken, mut record: Box<Record>, config: &Config) -> Self {
        let idle = record.lock.unwrap_or(record.idle_timeout);
        let interval = config.touch_interval.min(idle / 10);
        let locked = record.is_locked(record.loaded_at);
        let touch_due = !locked && record.loaded_at - record.last_seen >= interval;
        Self {
            id,
            token: token.clone(),
            vault: Vault::new(token, record.seal.take(), config),
            touch_due,
            renewal_due: !locked && record.is_renewal_due(record.loaded_at),
            locked,
            life: Life::of(&record, touch_due),
            data: mem::take(&mut record.data),
            user: record.user.take(),
            record: Some(record),
        }
    }

    /// What the store told of it when it was loaded.
    pub(super) fn info(&self) -> Option<SessionInfo> {
        let record = self.record.as_deref();
        record.map(|record| SessionInfo::of(self.id, record))
    }

    /// The value of `key` in the store.
    pub(super) fn value(&self, key: &str) -> Option<Result<Value, Unreadable>> {
        self.data.get(key).map(|value| self.vault.open(key, value))
    }

    /// A session that this request has created.
    pub(super) fn begun(token: SessionToken, new: &NewSession, config: &Config) -> Self {
        let mut data = Data::new();
        new.delta.apply_to(&mut data);
        Self {
            id: token.id(),
            vault: Vault::new(&token, new.seal.clone(), config),
            token,
            data,
            user: new.user.clone(),
            touch_due: false,
            renewal_due: false,
            locked: false,
            life: Life::begun(&new.lifetime, new.about.authenticated),
            record: None,
        }
    }

    /// Takes over what a renewal did.
    pub(super) fn renewed(&mut self, token: &SessionToken, renewal: Renewal, config: &Config) {
        if renewal.is_handover(self.user.as_deref()) {
            self.data = Data::new();
        }
        renewal.delta.apply_to(&mut self.data);
        self.id = token.id();
        self.token = token.clone();
        // A handler does not ask for a renewal by time, and so loses nothing by it.
        self.record = self.record.take().filter(|_| renewal.marker_nonce().is_some());
        self.vault = Vault::new(token, renewal.seal, config);
        self.locked = false;
        self.touch_due = false;
        self.renewal_due = false;
        self.life = match &renewal.login {
            Some(login) => Life::begun(&login.lifetime, login.about.authenticated),
            None => self.life.renewed(),
        };
        self.user = renewal.user;
    }

    /// Keeps the request from counting as activity.
    pub(super) fn leave_untouched(&mut self) {
        self.touch_due = false;
        // It would be activity.
        self.renewal_due = false;
        self.life = self.life.untouched();
    }
}
