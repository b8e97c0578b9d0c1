//! The near cache of one instance, for one session that another instance changes, and its link to the server.
//!
//! What is assumed:
//! - The server does one thing after another. What it tells on a link, and its answers to the questions whether that
//!   lives, arrive in the order in which they were sent, or not at all: a link may die without a word, and nothing
//!   comes through it any more.
//! - A change is told on every link that stands before it is acknowledged: or rather, no question that is sent later
//!   is answered before it.
//! - Answers to loads come by another way, at any time. One load is under way at a time, and one change of this
//!   instance's.
//! - Each step of the cache happens as a whole: what its locks are for is not looked at here.
//! - Time is counted in ticks, of which the lease has one. All clocks that matter are this instance's.
//!
//! What is shown, for all states with at most two changes, two links and two ticks: what is served is no older than the
//! lease, and what this instance has changed it sees at once.

use stateright::{Model, Property};

const LEASE: u8 = 1;
const CHANGES: u8 = 2;
const TICKS: u8 = 2;
const LINKS: u8 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plant {
    /// What has changed while it was loaded is kept.
    KeepsLate,
    /// A proof counts from when it is heard.
    ProvesLate,
    /// A new link empties nothing.
    NewLinkKeeps,
    /// What this instance changes stays as it was read.
    ForgetsOwn,
}

#[derive(Clone, Debug, Default)]
struct Near(Option<Plant>);

/// What comes through a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Told {
    Changed,
    /// The answer to a question that was sent at this time.
    Lives(u8),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Link {
    told: Vec<Told>,
    is_dead: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Reading {
    answer: Option<u8>,
    /// Whether anything was told since it began.
    is_late: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct State {
    now: u8,
    /// When each change was acknowledged, if it was; their number is the session's version.
    acknowledged: Vec<Option<u8>>,
    /// The newest version that this instance has made, and was answered.
    own: u8,
    /// A change of this instance's that has been made and is not answered yet: its version.
    changing: Option<u8>,
    link: Option<Link>,
    links: u8,
    reading: Option<Reading>,
    /// The version that is kept, and until when it may be served.
    entry: Option<u8>,
    until: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Tick,
    OtherChanges,
    OwnChanges,
    OwnIsAnswered,
    BeginLoad,
    Load,
    Keep,
    Connect,
    LinkDies,
    LinkIsLost,
    Ask,
    Hear,
}

impl State {
    fn version(&self) -> u8 {
        self.acknowledged.len() as u8
    }

    /// The version that is served.
    fn served(&self) -> Option<u8> {
        self.entry.filter(|_| self.now < self.until)
    }

    /// Whoever loads since before now keeps nothing.
    fn tell(&mut self) {
        if let Some(reading) = &mut self.reading {
            reading.is_late = true;
        }
    }

    fn clear(&mut self) {
        self.tell();
        self.entry = None;
    }

    fn hear(&mut self, told: Told, plant: Option<Plant>) {
        match told {
            Told::Changed => {
                self.tell();
                self.entry = None;
            }
            Told::Lives(sent) => {
                let from = if plant == Some(Plant::ProvesLate) {
                    self.now
                } else {
                    sent
                };
                self.until = self.until.max(from + LEASE);
            }
        }
    }

    fn keep(&mut self, reading: Reading, plant: Option<Plant>) {
        if !reading.is_late || plant == Some(Plant::KeepsLate) {
            self.entry = reading.answer;
        }
    }

    /// A change of this instance's is answered: it is added to what is kept, if it is the next one.
    fn settle(&mut self, version: u8) {
        self.tell();
        self.entry = self.entry.filter(|kept| kept + 1 == version).map(|_| version);
    }
}

impl Model for Near {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::default()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let may = |holds: bool, action| holds.then_some(action);
        let may_change = state.version() < CHANGES;
        let lives = state.link.as_ref().is_some_and(|link| !link.is_dead);
        let asks = |link: &Link| link.told.len() < 2;
        actions.extend(
            [
                may(state.now < TICKS, Action::Tick),
                may(may_change, Action::OtherChanges),
                may(may_change && state.changing.is_none(), Action::OwnChanges),
                may(state.changing.is_some(), Action::OwnIsAnswered),
                may(state.reading.is_none(), Action::BeginLoad),
                may(
                    state.reading.is_some_and(|reading| reading.answer.is_none()),
                    Action::Load,
                ),
                may(
                    state.reading.is_some_and(|reading| reading.answer.is_some()),
                    Action::Keep,
                ),
                may(state.link.is_none() && state.links < LINKS, Action::Connect),
                may(lives, Action::LinkDies),
                may(state.link.is_some(), Action::LinkIsLost),
                may(lives && state.link.as_ref().is_some_and(asks), Action::Ask),
                may(
                    state.link.as_ref().is_some_and(|link| !link.told.is_empty()),
                    Action::Hear,
                ),
            ]
            .into_iter()
            .flatten(),
        );
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut state = state.clone();
        match action {
            Action::Tick => state.now += 1,
            Action::OtherChanges => {
                state.acknowledged.push(Some(state.now));
                // Nothing comes through a dead link; what was under way may still.
                if let Some(link) = state.link.as_mut().filter(|link| !link.is_dead) {
                    link.told.push(Told::Changed);
                }
            }
            Action::OwnChanges => {
                state.acknowledged.push(None);
                state.changing = Some(state.version());
            }
            Action::OwnIsAnswered => {
                let version = state.changing.take()?;
                state.acknowledged[usize::from(version) - 1] = Some(state.now);
                state.own = version;
                if self.0 != Some(Plant::ForgetsOwn) {
                    state.settle(version);
                }
            }
            Action::BeginLoad => {
                state.reading = Some(Reading {
                    answer: None,
                    is_late: false,
                });
            }
            Action::Load => {
                let version = state.version();
                state.reading.as_mut()?.answer = Some(version);
            }
            Action::Keep => {
                let reading = state.reading.take()?;
                state.keep(reading, self.0);
            }
            Action::Connect => {
                state.link = Some(Link::default());
                state.links += 1;
                state.until = 0;
                if self.0 != Some(Plant::NewLinkKeeps) {
                    state.clear();
                }
            }
            Action::LinkDies => state.link.as_mut()?.is_dead = true,
            Action::LinkIsLost => {
                state.link = None;
                state.until = 0;
                if self.0 != Some(Plant::NewLinkKeeps) {
                    state.clear();
                }
            }
            Action::Ask => {
                let now = state.now;
                state.link.as_mut()?.told.push(Told::Lives(now));
            }
            Action::Hear => {
                let told = state.link.as_mut()?.told.remove(0);
                state.hear(told, self.0);
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("what is served is no older than the lease", |_, state: &State| {
                let is_known = |at: &Option<u8>| at.is_some_and(|at| at + LEASE <= state.now);
                let known = state.acknowledged.iter().rposition(is_known);
                let known = known.map_or(0, |newest| newest as u8 + 1);
                state.served().is_none_or(|served| served >= known)
            }),
            Property::always("what this instance has changed it sees", |_, state: &State| {
                state.served().is_none_or(|served| served >= state.own)
            }),
            Property::sometimes("what was read is served", |_, state: &State| state.served().is_some()),
            Property::sometimes("what this instance has changed is served", |_, state: &State| {
                state.own > 0 && state.served() == Some(state.own)
            }),
            Property::sometimes("what is older is served within the lease", |_, state: &State| {
                state.served().is_some_and(|served| served < state.version())
            }),
        ]
    }
}

#[test]
fn a_near_cache_serves_nothing_older_than_its_lease() {
    crate::holds(Near::default());
}

#[test]
fn planted_bugs_of_near_caches_are_found() {
    const OLD: &str = "what is served is no older than the lease";
    crate::breaks(Near(Some(Plant::KeepsLate)), OLD);
    crate::breaks(Near(Some(Plant::ProvesLate)), OLD);
    crate::breaks(Near(Some(Plant::NewLinkKeeps)), OLD);
    crate::breaks(Near(Some(Plant::ForgetsOwn)), "what this instance has changed it sees");
}
