use std::collections::BTreeMap;

use session_core::{Change as KeyChange, Delta, SessionId, Value};

use crate::history::{Change, Event};

/// A session under all the ids that it had, from its creation or login to its end or the next login.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line {
    /// Each with when it came, and whether by a renewal by time.
    pub(crate) ids: Vec<(SessionId, usize, bool)>,
    pub(crate) user: Option<String>,
    /// What its data must be.
    pub(crate) data: BTreeMap<String, Value>,
    /// The line whose data it took over.
    parent: Option<usize>,
    pub(crate) over: Option<Over>,
}

/// The end of a line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Over {
    pub(crate) at: usize,
    /// On which instance.
    pub(crate) instance: usize,
}

impl Line {
    fn begun(at: usize, id: SessionId, user: Option<&String>) -> Self {
        Self {
            ids: vec![(id, at, false)],
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

    /// The id that it had at this time.
    pub(crate) fn id_at(&self, time: usize) -> Option<SessionId> {
        let known = self.ids.iter().rev();
        known.clone().find(|(_, at, _)| *at <= time).map(|(id, ..)| *id)
    }

    /// What a browser opens with this id, if it is one of this line's: the session, if it has the id still, or has got
    /// others by time alone since.
    pub(crate) fn opened_by(&self, id: &SessionId, time: usize) -> Option<SessionId> {
        let known = self.ids.iter().filter(|(_, at, _)| *at <= time);
        let mut later = known.skip_while(|(of, ..)| of != id).skip(1);
        let is_over = self.over.is_some_and(|over| over.at <= time);
        let is_open = !is_over && later.all(|(.., by_time)| *by_time);
        self.id_at(time).filter(|_| is_open)
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
                lines.apply(at, Over { at, instance }, change);
            }
        }
        lines
    }

    fn apply(&mut self, at: usize, over: Over, change: &Change) {
        match change {
            Change::Loaded { .. } => {}
            Change::Created { id, user, delta } => {
                if self.of(id).is_none() {
                    let mut line = Line::begun(at, *id, user.as_ref());
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
                    self.0[old].ids.push((*to, at, *is_by_time));
                    return self.0[old].apply(delta);
                }
                let mut line = Line::begun(at, *to, user.as_ref());
                if self.0[old].user.is_none() || self.0[old].user == *user {
                    line.data.clone_from(&self.0[old].data);
                    line.parent = Some(old);
                }
                line.apply(delta);
                self.0[old].over = Some(over);
                self.0.push(line);
            }
            Change::Ended { id } => {
                if let Some(line) = self.of(id) {
                    self.0[line].over.get_or_insert(over);
                }
            }
            Change::EndedAll { user, except } => {
                let except = except.and_then(|id| self.of(&id));
                for (number, line) in self.0.iter_mut().enumerate() {
                    if line.user.as_ref() == Some(user) && Some(number) != except {
                        line.over.get_or_insert(over);
                    }
                }
            }
            Change::Expired => self.0.iter_mut().for_each(|line| {
                line.over.get_or_insert(over);
            }),
        }
    }

    /// The line that has had this id.
    pub(crate) fn of(&self, id: &SessionId) -> Option<usize> {
        let has_had = |line: &Line| line.ids.iter().any(|(of, ..)| of == id);
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
