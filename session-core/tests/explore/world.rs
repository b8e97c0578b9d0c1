use std::{mem, task::Poll, time::Duration};

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use session_core::{Error, Lifetime, Loaded, NewSession, SessionId, SessionLayer, SessionStore, SessionToken};
use tokio::task::yield_now;

use crate::{
    action::Action,
    decision::Decision,
    gate::{Family, Verdict},
    history::{Event, History, Seen},
    instance::{Instance, Server},
    jar::{Jar, PLACES, set_cookies, token},
    plant::Plant,
    promises::{check, check_arrival, check_response},
    request::{Head, Running, Task, send},
    scenario::Scenario,
    schedule::Chooser,
    start::create,
};

/// The number of requests that look, and belong to no scenario.
const LOOK: usize = usize::MAX;

/// How long an answer of a store may take: for ever, as it is not the clock that is explored.
const NO_HURRY: Duration = Duration::from_secs(24 * 60 * 60);

/// Two instances, what they share, and one browser.
pub(crate) struct World {
    pub(crate) scenario: Scenario,
    pub(crate) server: Server,
    pub(crate) instances: [Instance; 2],
    layers: [SessionLayer; 2],
    pub(crate) requests: Vec<Stage>,
    /// How many more there may be.
    pub(crate) faults: usize,
    pub(crate) jar: Jar,
    /// The browser's session at the start, and what another device of alice's has.
    pub(crate) first: Option<SessionId>,
    device: Option<(SessionId, Jar)>,
    /// All tokens that the browser was ever given, each with the name of its cookie.
    pub(crate) handed: Vec<(String, SessionToken)>,
    /// What somebody else has made up.
    pub(crate) forged: Option<SessionId>,
    /// What a response has broken.
    broken: Option<String>,
    /// What was decided.
    trace: Vec<(Decision, Option<&'static str>)>,
}

/// How far a request is.
pub(crate) enum Stage {
    Unsent,
    Running(Running),
    Answered(Head),
    Over,
}

impl World {
    pub(crate) async fn new(scenario: &Scenario) -> Self {
        let mut server = Server::default();
        server.plant = scenario.plant;
        let instances = [0, 1].map(|number| Instance::new(&server, number, scenario.has_caches()));
        let layers = instances
            .each_ref()
            .map(|instance| SessionLayer::new(instance.clone()).store_timeout(NO_HURRY));
        let mut device = None;
        if scenario.requests.iter().any(|(action, _)| action.is_other_devices()) {
            let token = create(&server, Family::Device, Some("alice"), Lifetime::default()).await;
            device = Some((token.id(), Jar::with(PLACES[0], &token)));
        }
        let mut world = Self {
            scenario: scenario.clone(),
            instances,
            layers,
            requests: scenario.requests.iter().map(|_| Stage::Unsent).collect(),
            faults: scenario.faults,
            jar: Jar::default(),
            first: None,
            device,
            handed: Vec::new(),
            forged: None,
            broken: None,
            trace: Vec::new(),
            server,
        };
        world.begin().await;
        world.server.gate.close();
        for request in 0..world.requests.len() {
            if !scenario.requests[request].0.is_own() {
                world.send(request).await;
            }
        }
        world
    }

    fn history(&self) -> &History {
        &self.server.history
    }

    /// Makes decisions until there are none; what is broken then, or nothing if that was a schedule of which another
    /// order has been looked at.
    pub(crate) async fn run(&mut self, chooser: &mut dyn Chooser) -> Option<Result<(), String>> {
        loop {
            let options = self.options();
            if !options
                .iter()
                .any(|(decision, _)| !matches!(decision, Decision::Tell(_)))
            {
                break;
            }
            let chosen = chooser.choose(&options)?;
            self.decide(options[chosen].0).await;
            if let Some(broken) = self.broken.take() {
                return Some(Err(broken));
            }
        }
        let stuck = self.requests.iter().position(|stage| !matches!(stage, Stage::Over));
        if let Some(request) = stuck {
            return Some(Err(format!("request {request} waits for ever")));
        }
        self.server.gate.open();
        Some(check(self).await)
    }

    async fn decide(&mut self, decision: Decision) {
        let call = match decision {
            Decision::Go(request) | Decision::Refuse(request) | Decision::Lose(request) => {
                self.server.gate.call(request, |call| call.name)
            }
            _ => None,
        };
        self.trace.push((decision, call));
        match decision {
            Decision::Send(request) => self.send(request).await,
            Decision::Go(request) => self.release(request, Verdict::Go).await,
            Decision::Refuse(request) => self.release(request, Verdict::Refuse).await,
            Decision::Lose(request) => self.release(request, Verdict::Lose).await,
            Decision::Leave(request) => {
                self.faults -= 1;
                self.requests[request] = Stage::Over;
                self.settle(request).await;
            }
            Decision::Arrive(request) => self.arrive(request).await,
            Decision::Tell(instance) => self.instances[instance].hear(),
        }
    }

    async fn send(&mut self, request: usize) {
        let (action, at) = self.scenario.requests[request];
        let device = self.device.as_ref().filter(|_| action.is_other_devices());
        let jar = device.map_or(&self.jar, |(_, jar)| jar);
        let (cookies, opens) = (jar.ids(), jar.opens(&self.server.memory).await);
        self.history().add(Event::Sent {
            request,
            cookies,
            opens,
        });
        let task = Task {
            action,
            number: request,
            device: self.first,
            history: self.history().clone(),
        };
        let layer = self.layers[at].clone();
        let (instances, first) = (self.instances.clone(), self.first);
        let (cookies, plant) = (jar.header(), self.scenario.plant);
        self.requests[request] = Stage::Running(Running::new(async move {
            match (action, first) {
                (Action::Expire, _) => answer(instances[at].expire(&instances).await),
                (Action::Revoke, Some(id)) => answer(instances[at].end(&id).await),
                (Action::Recreate, Some(id)) => {
                    let new = NewSession::new(Lifetime::default());
                    answer(instances[at].create(&id, &new).await.map(drop))
                }
                _ => tamper(plant, send(layer, task, cookies.clone()).await, &cookies),
            }
        }));
        self.settle(request).await;
    }

    async fn release(&mut self, request: usize, verdict: Verdict) {
        if verdict != Verdict::Go {
            self.faults -= 1;
        }
        self.server.gate.release(request, verdict);
        self.settle(request).await;
    }

    /// Lets everybody run until all wait for a decision; first this request, for which spawned tasks work.
    async fn settle(&mut self, first: usize) {
        self.server.gate.polls(first);
        yield_now().await;
        loop {
            let woken = (0..self.requests.len()).find(|request| match &self.requests[*request] {
                Stage::Running(running) => running.is_woken(),
                _ => false,
            });
            let Some(request) = woken else { break };
            self.server.gate.polls(request);
            if let Stage::Running(running) = &mut self.requests[request]
                && let Poll::Ready(head) = running.poll()
            {
                self.answered(request, head).await;
            }
            yield_now().await;
        }
    }

    async fn answered(&mut self, request: usize, head: Head) {
        let (action, _) = self.scenario.requests[request];
        let status = head.status;
        self.history().add(Event::Responded { request, status });
        if let Err(broken) = check_response(self, request, &head).await {
            self.broken.get_or_insert(broken);
        }
        let matters =
            action.is_own() && ((action.writes() && status.is_success()) || !set_cookies(&head.headers).is_empty());
        self.requests[request] = if matters { Stage::Answered(head) } else { Stage::Over };
    }

    async fn arrive(&mut self, request: usize) {
        let Stage::Answered(head) = mem::replace(&mut self.requests[request], Stage::Over) else {
            return;
        };
        let before = self.jar.opens(&self.server.memory).await;
        self.jar.take(&head.headers);
        for (name, value) in set_cookies(&head.headers) {
            let token = value.as_deref().and_then(token);
            self.handed.extend(token.map(|token| (name, token)));
        }
        self.history().add(Event::Arrived { request });
        if let Err(broken) = check_arrival(self, request, before).await {
            self.broken.get_or_insert(broken);
        }
    }

    /// What a request with these cookies sees on an instance, once all is decided.
    pub(crate) async fn look(&self, instance: usize, cookies: &Jar) -> Seen {
        let task = Task {
            action: Action::Look,
            number: LOOK,
            device: None,
            history: self.history().clone(),
        };
        send(self.layers[instance].clone(), task, cookies.header()).await;
        let seen = self.history().events().pop();
        match seen {
            Some(Event::Saw { request: LOOK, seen }) => seen,
            other => panic!("{other:?}"),
        }
    }

    /// The record of a session, if it is alive.
    pub(crate) async fn record(&self, id: &SessionId) -> Option<Box<session_core::Record>> {
        match self.server.memory.load(&[*id]).await.unwrap() {
            Loaded::Live(_, record) => Some(record),
            _ => None,
        }
    }

    /// The instances that may differ: without near caches all ask the same store.
    pub(crate) fn all_instances(&self) -> std::ops::Range<usize> {
        0..if self.scenario.has_caches() { 2 } else { 1 }
    }

    /// What was decided, and what happened.
    pub(crate) fn story(&self) -> String {
        let events = self.history().events();
        let events: Vec<String> = events.iter().map(|event| format!("  {event:?}")).collect();
        let decisions = self.trace.iter();
        let decisions: Vec<String> = decisions
            .map(|(decision, call)| format!("  {decision:?} {}", call.unwrap_or_default()))
            .collect();
        format!("{:?}\n{}\n{}", self.scenario, decisions.join("\n"), events.join("\n"))
    }

    /// The other device's session.
    pub(crate) fn device(&self) -> Option<SessionId> {
        self.device.as_ref().map(|(id, _)| *id)
    }
}

fn answer(done: Result<(), Error>) -> Head {
    let response: Response = done.into_response();
    response.into()
}

/// What a planted bug makes of a response.
fn tamper(plant: Option<Plant>, mut head: Head, cookies: &str) -> Head {
    match plant {
        Some(Plant::LateCookie) => {
            for cookie in cookies.split("; ").filter(|cookie| cookie.starts_with("__Host-id=")) {
                let cookie = HeaderValue::try_from(format!("{cookie}; Path=/")).unwrap();
                head.headers.append(header::SET_COOKIE, cookie);
            }
        }
        Some(Plant::NoBypass) => {
            let name: HeaderName = header::SET_COOKIE;
            let kept: Vec<HeaderValue> = head.headers.get_all(&name).iter().cloned().collect();
            head.headers.remove(&name);
            for cookie in kept
                .into_iter()
                .filter(|cookie| !cookie.to_str().unwrap().contains("-near-"))
            {
                head.headers.append(&name, cookie);
            }
        }
        _ => {}
    }
    head
}
