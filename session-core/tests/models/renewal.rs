//! The renewal of a session's token: asked for, by a login, and by time.
//!
//! What is assumed:
//! - Each operation of the store happens at once and as a whole, whether or not its answer is heard. A renewal whose
//!   answer is not heard is asked for again, with the same new id.
//! - No id is ever made twice. Who holds a token and hears the nonce of its renewal by time knows the next token; after
//!   other renewals nobody does.
//! - There is one browser, whose requests are all of one session, and one login by the same user as before.
//! - A tick is ten seconds: grace lasts three, a token lives for six, and is that old at the start. A request and its
//!   response take no longer than a tick together, unless that is lost: the layer looks again at what took longer.
//!   Markers stand for longer than all ticks together.
//!
//! What is shown, for all states with at most three requests of all kinds at once, or with three that renew by time as
//! time passes: a session is there, under one id, until it is ended, with
//! all that was acknowledged, and never again after that; nobody is logged out by renewals by time unless a response is
//! lost; and one old token at most still finds the session.

use stateright::{Model, Property};

/// How long an old token finds its successor, and how old a token becomes.
const GRACE: u8 = 3;
const INTERVAL: u8 = 6;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plant {
    /// Nobody else knows the token that a renewal by time has made.
    RandomSuccessor,
    /// A renewal leaves the old id alive.
    Copies,
    /// A renewal takes along what its request has read.
    TakesWhatWasRead,
    /// An end does not follow renewals.
    EndMissesRenewal,
    /// Tokens are renewed before the grace of those before is over.
    TooOften,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Read,
    Write,
    Renew,
    Login,
    End,
}

#[derive(Clone, Debug)]
struct Renewals {
    kinds: &'static [Kind],
    requests: u8,
    ticks: u8,
    plant: Option<Plant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Why {
    Asked,
    Login,
    Time,
}

/// What there is at an id. Its number is its place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Slot {
    /// The session, since when, with what the requests have written: a bit for each.
    Live {
        since: u8,
        written: u8,
    },
    Marker {
        to: u8,
        why: Why,
        at: u8,
    },
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stage {
    Sent,
    Loaded,
    RenewsByTime,
    Responded,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Request {
    kind: Kind,
    bit: u8,
    stage: Stage,
    sent: u8,
    cookies: Vec<u8>,
    current: u8,
    read: u8,
    is_due: bool,
    /// The id that its renewal makes, if that was made and not heard of.
    unheard: Option<u8>,
    login_cookie: Option<u8>,
    renewed_cookie: Option<u8>,
    ends: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    now: u8,
    slots: Vec<Slot>,
    sent: u8,
    requests: Vec<Request>,
    /// The browser's cookies.
    login: Option<u8>,
    renewed: Option<u8>,
    /// What was acknowledged, whether an end was, and whether a response was lost.
    acknowledged: u8,
    is_over: bool,
    has_lost: bool,
    /// Whether a request has found no session.
    was_refused: bool,
    caught_up: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Tick,
    Send(Kind),
    Load(usize),
    Do(usize),
    /// It happens, and its answer is not heard.
    DoUnheard(usize),
    Arrive(usize),
    Lose(usize),
}

impl State {
    /// The first of these ids that is alive, or that a renewal by time has led to one that is, less than `grace` ago.
    fn find(&self, ids: &[u8], grace: u8, plant: Option<Plant>) -> Option<u8> {
        let mut ids: Vec<u8> = ids.to_vec();
        let mut i = 0;
        while let Some(id) = ids.get(i) {
            match self.slots[usize::from(*id)] {
                Slot::Live { .. } => return Some(*id),
                Slot::Marker { to, why: Why::Time, at }
                    if self.now - at < grace && !ids.contains(&to) && plant != Some(Plant::RandomSuccessor) =>
                {
                    ids.insert(i, to);
                }
                _ => i += 1,
            }
        }
        None
    }

    /// The id that a session has by now, if no login came between.
    fn follow(&self, mut id: u8) -> u8 {
        while let Slot::Marker {
            to,
            why: Why::Asked | Why::Time,
            ..
        } = self.slots[usize::from(id)]
        {
            id = to;
        }
        id
    }

    /// Renews `from`, or answers as the first time if it made `to`; the new id.
    fn renew(&mut self, from: u8, why: Why, unheard: Option<u8>, read: u8, plant: Option<Plant>) -> Option<u8> {
        match self.slots[usize::from(from)] {
            Slot::Live { written, .. } => {
                let to = self.slots.len() as u8;
                let written = if plant == Some(Plant::TakesWhatWasRead) {
                    read
                } else {
                    written
                };
                let since = self.now;
                self.slots.push(Slot::Live { since, written });
                if plant != Some(Plant::Copies) {
                    let at = self.now;
                    self.slots[usize::from(from)] = Slot::Marker { to, why, at };
                }
                Some(to)
            }
            Slot::Marker { to, .. } if unheard == Some(to) => {
                matches!(self.slots[usize::from(to)], Slot::Live { .. }).then_some(to)
            }
            _ => None,
        }
    }

    fn live(&self) -> impl Iterator<Item = u8> {
        let written = self.slots.iter();
        written.filter_map(|slot| match slot {
            Slot::Live { written, .. } => Some(*written),
            _ => None,
        })
    }
}

impl Renewals {
    fn load(&self, state: &mut State, mut request: Request) -> Request {
        let Some(id) = state.find(&request.cookies, GRACE, self.plant) else {
            state.was_refused |= !state.is_over;
            return respond(request);
        };
        if let Slot::Live { since, written } = state.slots[usize::from(id)] {
            let interval = if self.plant == Some(Plant::TooOften) {
                GRACE - 1
            } else {
                INTERVAL
            };
            (request.read, request.is_due) = (written, state.now - since >= interval);
        }
        if !request.cookies.contains(&id) {
            request.renewed_cookie = Some(id);
        }
        request.current = id;
        request.stage = Stage::Loaded;
        request
    }

    fn commit(&self, state: &mut State, mut request: Request) -> Request {
        let next = match request.kind {
            Kind::Read => Stage::RenewsByTime,
            Kind::Write => {
                let id = state.follow(request.current);
                if let Slot::Live { written, .. } = &mut state.slots[usize::from(id)] {
                    *written |= request.bit;
                    state.acknowledged |= request.bit;
                }
                Stage::RenewsByTime
            }
            Kind::Renew | Kind::Login => {
                let why = if request.kind == Kind::Login {
                    Why::Login
                } else {
                    Why::Asked
                };
                let (from, unheard, read) = (request.current, request.unheard, request.read);
                match state.renew(from, why, unheard, read, self.plant) {
                    Some(to) => request.login_cookie = Some(to),
                    None => match state.find(&[from], u8::MAX, self.plant) {
                        // Another request has renewed it by time: once more.
                        Some(by_now) if by_now != from => {
                            (request.current, request.unheard) = (by_now, None);
                            return request;
                        }
                        _ => {}
                    },
                }
                Stage::Responded
            }
            Kind::End => {
                let id = state.follow(request.current);
                state.is_over |= matches!(state.slots[usize::from(id)], Slot::Live { .. });
                let reached = if self.plant == Some(Plant::EndMissesRenewal) {
                    request.current
                } else {
                    id
                };
                if let slot @ Slot::Live { .. } = &mut state.slots[usize::from(reached)] {
                    *slot = Slot::Ended;
                }
                request.ends = true;
                Stage::Responded
            }
        };
        match next {
            Stage::RenewsByTime if request.is_due => Request { stage: next, ..request },
            _ => respond(request),
        }
    }

    fn renew_by_time(&self, state: &mut State, mut request: Request) -> Request {
        let (from, unheard, read) = (request.current, request.unheard, request.read);
        match state.renew(from, Why::Time, unheard, read, self.plant) {
            Some(to) => request.renewed_cookie = Some(to),
            None => {
                if let Some(by_now) = state.find(&[from], u8::MAX, self.plant) {
                    state.caught_up = true;
                    request.renewed_cookie = Some(by_now);
                }
            }
        }
        respond(request)
    }
}

fn respond(request: Request) -> Request {
    let stage = Stage::Responded;
    Request { stage, ..request }
}

impl Model for Renewals {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            now: INTERVAL,
            slots: vec![Slot::Live { since: 0, written: 0 }],
            sent: 0,
            requests: Vec::new(),
            login: Some(0),
            renewed: None,
            acknowledged: 0,
            is_over: false,
            has_lost: false,
            was_refused: false,
            caught_up: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.now < INTERVAL + self.ticks && state.requests.iter().all(|request| request.sent == state.now) {
            actions.push(Action::Tick);
        }
        if state.sent < self.requests && !state.is_over {
            actions.extend(self.kinds.iter().map(|kind| Action::Send(*kind)));
        }
        for (number, request) in state.requests.iter().enumerate() {
            match request.stage {
                Stage::Sent => actions.push(Action::Load(number)),
                Stage::Loaded | Stage::RenewsByTime => {
                    actions.push(Action::Do(number));
                    let renews = matches!(request.kind, Kind::Renew | Kind::Login);
                    if request.unheard.is_none() && (renews || request.stage == Stage::RenewsByTime) {
                        actions.push(Action::DoUnheard(number));
                    }
                }
                Stage::Responded => actions.extend([Action::Arrive(number), Action::Lose(number)]),
            }
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut state = state.clone();
        match action {
            Action::Tick => state.now += 1,
            Action::Send(kind) => {
                state.requests.push(Request {
                    kind,
                    bit: 1 << state.sent,
                    stage: Stage::Sent,
                    sent: state.now,
                    cookies: state.login.into_iter().chain(state.renewed).collect(),
                    current: 0,
                    read: 0,
                    is_due: false,
                    unheard: None,
                    login_cookie: None,
                    renewed_cookie: None,
                    ends: false,
                });
                state.sent += 1;
            }
            Action::Load(number) => {
                let request = state.requests[number].clone();
                state.requests[number] = self.load(&mut state, request);
            }
            Action::Do(number) => {
                let request = state.requests[number].clone();
                state.requests[number] = match request.stage {
                    Stage::RenewsByTime => self.renew_by_time(&mut state, request),
                    _ => self.commit(&mut state, request),
                };
            }
            Action::DoUnheard(number) => {
                let request = state.requests[number].clone();
                let why = match (request.stage, request.kind) {
                    (Stage::RenewsByTime, _) => Why::Time,
                    (_, Kind::Login) => Why::Login,
                    _ => Why::Asked,
                };
                let to = state.renew(request.current, why, None, request.read, self.plant)?;
                state.requests[number].unheard = Some(to);
            }
            Action::Arrive(number) => {
                let request = state.requests.remove(number);
                if request.ends {
                    (state.login, state.renewed) = (None, None);
                }
                if request.login_cookie.is_some() {
                    (state.login, state.renewed) = (request.login_cookie, None);
                }
                state.renewed = request.renewed_cookie.or(state.renewed);
            }
            Action::Lose(number) => {
                let request = state.requests.remove(number);
                state.has_lost |= request.login_cookie.or(request.renewed_cookie).is_some();
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always(
                "a session is there, under one id, until it is ended",
                |_, state: &State| state.live().count() == usize::from(!state.is_over),
            ),
            Property::always("what was acknowledged is kept", |_, state: &State| {
                state
                    .live()
                    .all(|written| written & state.acknowledged == state.acknowledged)
            }),
            Property::always("one old token at most finds the session", |_, state: &State| {
                let ids = 0..state.slots.len() as u8;
                let old = ids.filter(|id| state.find(&[*id], GRACE, None).is_some_and(|found| found != *id));
                old.count() <= 1
            }),
        ];
        let only_by_time = self.kinds.iter().all(|kind| matches!(kind, Kind::Read | Kind::Write));
        if only_by_time {
            properties.extend([
                Property::always("nobody is logged out unless a response is lost", |_, state: &State| {
                    !state.was_refused || state.has_lost
                }),
                Property::sometimes("a token is renewed twice", |_, state: &State| state.slots.len() > 2),
                Property::sometimes("a request learns what another has renewed", |_, state: &State| {
                    state.caught_up
                }),
                Property::sometimes("a lost response logs somebody out", |_, state: &State| {
                    state.was_refused
                }),
            ]);
        }
        properties
    }
}

const BY_TIME: Renewals = Renewals {
    kinds: &[Kind::Write],
    requests: 3,
    ticks: 7,
    plant: None,
};

const ALL: Renewals = Renewals {
    kinds: &[Kind::Read, Kind::Write, Kind::Renew, Kind::Login, Kind::End],
    requests: 3,
    ticks: 0,
    plant: None,
};

#[test]
fn renewals_by_time_lose_nothing_and_log_nobody_out() {
    crate::holds(BY_TIME);
}

#[test]
fn renewals_of_all_kinds_lose_nothing() {
    crate::holds(ALL);
}

#[test]
fn planted_bugs_of_renewals_are_found() {
    let with = |model: Renewals, plant| Renewals {
        plant: Some(plant),
        ..model
    };
    const THERE: &str = "a session is there, under one id, until it is ended";
    crate::breaks(with(ALL, Plant::Copies), THERE);
    crate::breaks(with(ALL, Plant::EndMissesRenewal), THERE);
    crate::breaks(with(ALL, Plant::TakesWhatWasRead), "what was acknowledged is kept");
    crate::breaks(
        with(BY_TIME, Plant::RandomSuccessor),
        "nobody is logged out unless a response is lost",
    );
    crate::breaks(
        with(BY_TIME, Plant::TooOften),
        "one old token at most finds the session",
    );
}
