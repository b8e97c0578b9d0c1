use std::collections::BTreeMap;

use crate::{Change, Delta, SessionId, Value};

/// What a store must be, as a plain map.
#[derive(Debug, Default)]
pub(super) struct Model(BTreeMap<SessionId, Slot>);

#[derive(Debug)]
enum Slot {
    Live(Session),
    Marker { to: SessionId, is_login: bool },
}

/// A session as it must be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) user: Option<String>,
    pub(super) data: BTreeMap<String, Value>,
    pub(super) version: u64,
}

/// An answer, or the name of an error.
pub(super) type Answer = Result<u64, &'static str>;

impl Session {
    fn apply(&mut self, delta: &Delta) -> u64 {
        for (key, change) in delta.iter() {
            match change {
                Change::Set(value) => self.data.insert(key.into(), value.clone()),
                Change::Remove => self.data.remove(key),
            };
        }
        self.version += 1;
        self.version
    }
}

impl Model {
    /// The session that is alive under this id.
    pub(super) fn live(&self, id: &SessionId) -> Option<&Session> {
        match self.0.get(id) {
            Some(Slot::Live(session)) => Some(session),
            _ => None,
        }
    }

    fn live_mut(&mut self, id: &SessionId) -> Option<&mut Session> {
        match self.0.get_mut(id) {
            Some(Slot::Live(session)) => Some(session),
            _ => None,
        }
    }

    /// The id that came after this one, whatever became of it.
    pub(super) fn successor(&self, id: &SessionId) -> Option<SessionId> {
        match self.0.get(id) {
            Some(Slot::Marker { to, .. }) => Some(*to),
            _ => None,
        }
    }

    /// Whether one id came after the other, also with others between.
    pub(super) fn leads_to(&self, id: &SessionId, to: &SessionId) -> bool {
        let mut next = self.successor(id);
        while let Some(id) = next.filter(|next| next != to) {
            next = self.successor(&id);
        }
        next.is_some()
    }

    /// The id that a session has by now, if no login came between.
    pub(super) fn follow(&self, id: &SessionId) -> SessionId {
        let mut id = *id;
        while let Some(Slot::Marker { to, is_login: false }) = self.0.get(&id) {
            id = *to;
        }
        id
    }

    pub(super) fn of_user(&self, user: &str) -> Vec<SessionId> {
        let is_of_user = |id: &&SessionId| {
            self.live(id)
                .is_some_and(|session| session.user.as_deref() == Some(user))
        };
        self.0.keys().filter(is_of_user).copied().collect()
    }

    pub(super) fn create(&mut self, id: SessionId, user: Option<&str>, delta: &Delta) -> Answer {
        let user = user.map(str::to_owned);
        let mut session = Session {
            user,
            ..Session::default()
        };
        let version = session.apply(delta);
        self.0.insert(id, Slot::Live(session));
        Ok(version)
    }

    pub(super) fn update(
        &mut self,
        id: &SessionId,
        delta: &Delta,
        expected: Option<&(String, Option<Value>)>,
    ) -> Answer {
        let id = self.follow(id);
        let session = self.live_mut(&id).ok_or("Ended")?;
        match expected {
            Some((key, value)) if session.data.get(key) != value.as_ref() => Err("Conflict"),
            _ => Ok(session.apply(delta)),
        }
    }

    pub(super) fn touch(&self, id: &SessionId) -> Answer {
        self.live(id).map(|_| 0).ok_or("Ended")
    }

    pub(super) fn renew(
        &mut self,
        from: &SessionId,
        to: SessionId,
        user: Option<&str>,
        is_login: bool,
        delta: &Delta,
    ) -> Answer {
        let session = self.live(from).ok_or("Ended")?;
        let is_same = session.user.as_deref() == user;
        if !is_login && !is_same {
            return Err("Ended");
        }
        let mut session = session.clone();
        if session.user.is_some() && !is_same {
            session.data.clear();
        }
        session.user = user.map(str::to_owned);
        let version = session.apply(delta);
        self.0.insert(*from, Slot::Marker { to, is_login });
        self.0.insert(to, Slot::Live(session));
        Ok(version)
    }

    pub(super) fn end(&mut self, id: &SessionId) -> Answer {
        let id = self.follow(id);
        if self.live(&id).is_some() {
            self.0.remove(&id);
        }
        Ok(0)
    }

    pub(super) fn end_all(&mut self, user: &str, except: Option<&SessionId>) -> Answer {
        let except = except.map(|id| self.follow(id));
        let mut ids = self.of_user(user);
        ids.retain(|id| Some(*id) != except);
        ids.iter().for_each(|id| drop(self.0.remove(id)));
        Ok(ids.len() as u64)
    }
}
