use std::collections::BTreeMap;

use session_core::{Change as KeyChange, Delta, SessionId, Value};

use crate::history::{Change, Event};

/// A session under all the ids that it had, from its creation or login to its end or the next login.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line {
    pub(crate) names: Vec<Name>,
    pub(crate) user: Option<String>,
    /// What its data must be.
    pub(crate) data: BTreeMap<String, Value>,
    /// The line whose data it took over.
    parent: Option<usize>,
    pub(crate) over: Option<Moment>,
}

/// An id of a session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name {
    pub(crate) id: SessionId,
    pub(crate) since: Moment,
    is_by_time: bool,
}

/// When something happened, and on which instance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) at: usize,
    pub(crate) instance: usize,
}

impl Line {
    fn begun(since: Moment, id: SessionId, user: Option<&String>) -> Self {
        let is_by_time = false;
        Self {
            names: vec![Name { id, since, is_by_time }],
            user: user.cloned(),
            ..Self::default()
        }
    }

    fn apply(&mut self, delta: &Delta) {
        for (key, change) in delta.iter() {
            match change {
                KeyChange::Set(value) => self.data.insert(key.into(), value.clone()),
                KeyChange::Remove => self.data.remove(key),
            };
        }
    }

    /// What a browser opens with this id, if it is one of this line's: the session, if it has the id still, or has got
    /// others by time alone since.
    pub(crate) fn opened_by(&self, id: &SessionId, time: usize) -> Option<SessionId> {
        let known = self.names.iter().filter(|name| name.since.at <= time);
        let newest = known.clone().next_back()?.id;
        let mut later = known.skip_while(|name| name.id != *id).skip(1);
        let is_over = self.over.is_some_and(|over| over.at <= time);
        let is_open = !is_over && later.all(|name| name.is_by_time);
        is_open.then_some(newest)
    }

    /// When it ceased to have this id.
    pub(crate) fn lost(&self, id: &SessionId) -> Option<Moment> {
        let next = self.names.iter().skip_while(|name| name.id != *id).nth(1);
        next.map(|name| name.since).or(self.over)
    }
}

/// What the sessions must be after what has happened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines(pub(crate) Vec<Line>);

impl Lines {
    pub(crate) fn after(events: &[Event]) -> Self {
        let mut lines = Self::default();
        for (at, event) in events.iter().enumerate() {
            if let Event::Done { instance, change, .. } = event {
                let instance = *instance;
                lines.apply(Moment { at, instance }, change);
            }
        }
        lines
    }

    fn apply(&mut self, now: Moment, change: &Change) {
        match change {
            Change::Loaded { .. } => {}
            Change::Created { id, user, delta } => {
                if self.of(id).is_none() {
                    let mut line = Line::begun(now, *id, user.as_ref());
                    line.apply(delta);
                    self.0.push(line);
                }
            }
            Change::Updated { id, delta } => {
                if let Some(line) = self.of(id) {
                    self.0[line].apply(delta);
                }
            }
            Change::Renewed {
                from,
                to,
                user,
                delta,
                is_login,
                is_by_time,
            } => {
                let (Some(old), None) = (self.of(from), self.of(to)) else {
                    return;
                };
                if !is_login {
                    let (id, since, is_by_time) = (*to, now, *is_by_time);
                    self.0[old].names.push(Name { id, since, is_by_time });
                    return self.0[old].apply(delta);
                }
                let mut line = Line::begun(now, *to, user.as_ref());
                if self.0[old].user.is_none() || self.0[old].user == *user {
                    line.data.clone_from(&self.0[old].data);
                    line.parent = Some(old);
                }
                line.apply(delta);
                self.0[old].over = Some(now);
                self.0.push(line);
            }
            Change::Ended { id } => {
                if let Some(line) = self.of(id) {
                    self.0[line].over.get_or_insert(now);
                }
            }
            Change::EndedAll { user, except } => {
                let except = except.and_then(|id| self.of(&id));
                for (number, line) in self.0.iter_mut().enumerate() {
                    if line.user.as_ref() == Some(user) && Some(number) != except {
                        line.over.get_or_insert(now);
                    }
                }
            }
            Change::Expired => self.0.iter_mut().for_each(|line| {
                line.over.get_or_insert(now);
            }),
        }
    }

    /// The line that has had this id.
    pub(crate) fn of(&self, id: &SessionId) -> Option<usize> {
        let has_had = |line: &Line| line.names.iter().any(|name| name.id == *id);
        self.0.iter().position(has_had)
    }

    /// Whether what was in one line is in the other.
    pub(crate) fn passes(&self, from: usize, to: usize) -> bool {
        let mut line = Some(to);
        while let Some(number) = line {
            if number == from {
                return true;
            }
            line = self.0[number].parent;
        }
        false
    }
}
