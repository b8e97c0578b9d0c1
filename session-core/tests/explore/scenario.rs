use crate::{action::Action, plant::Plant};

/// What the browser has at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// Nothing.
    Nobody,
    /// A token that somebody else has made up.
    Forged,
    /// A visitor's session.
    Visitor,
    /// Alice's session.
    User,
    /// Alice's session, whose token is old enough for a renewal by time.
    Old,
}

/// Whether the instances have near caches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caches {
    Off,
    /// They have read nothing at the start.
    Cold,
    /// They have read the browser's session at the start.
    Warm,
}

/// What is explored.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) start: Start,
    /// The requests, and which instance each goes to.
    pub(crate) requests: Vec<(Action, usize)>,
    pub(crate) caches: Caches,
    /// How often the store refuses a call, loses an answer, or a client goes away.
    pub(crate) faults: usize,
    pub(crate) plant: Option<Plant>,
}

impl Scenario {
    pub(crate) fn new(start: Start, requests: impl IntoIterator<Item = (Action, usize)>) -> Self {
        Self {
            start,
            requests: requests.into_iter().collect(),
            caches: Caches::Off,
            faults: 0,
            plant: None,
        }
    }

    pub(crate) fn near(self, caches: Caches) -> Self {
        Self { caches, ..self }
    }

    pub(crate) fn has_caches(&self) -> bool {
        self.caches != Caches::Off
    }

    pub(crate) fn with_faults(self, faults: usize) -> Self {
        Self { faults, ..self }
    }

    pub(crate) fn with(self, plant: Plant) -> Self {
        Self {
            plant: Some(plant),
            ..self
        }
    }
}
