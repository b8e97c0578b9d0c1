use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::time::sleep;

use crate::{
    calm::Calm,
    history::{Broken, History, View},
    http::{self, Answer},
    instance::DEADLINE,
    jar::Jar,
    random::Random,
    tally::Tally,
};

/// How long a browser rests between two requests.
const REST: Duration = Duration::from_millis(30);

/// How long near caches of other instances may show what has ended: a lease, and a little for a slow machine.
const LEASE: Duration = Duration::from_millis(900);

const KEYS: [&str; 3] = ["a", "b", "c"];

/// Where the instances are.
pub(crate) type Ports = Arc<[AtomicU16]>;

/// A browser whose user writes, counts, logs in and out on any instance, and looks at everything all the time.
pub(crate) struct Browser {
    user: String,
    ports: Ports,
    calm: Arc<Calm>,
    /// Whether instances have near caches.
    is_near: bool,
    random: Random,
    jar: Jar,
    /// Cookies as they were before a logout or a login, and since when they open nothing.
    ended: Vec<(Jar, Instant)>,
    history: History,
    /// Whether it knows what the fault cost, which is over: from now on nothing else may be lost.
    has_taken_stock: bool,
    number: u64,
    pub(crate) tally: Tally,
}

/// What became of a request.
enum Outcome {
    Done(Answer),
    /// Nobody is logged in, or the session was renewed meanwhile: nothing was done.
    Refused,
    Unknown,
}

impl Browser {
    pub(crate) fn new(user: String, ports: Ports, calm: Arc<Calm>, is_near: bool, seed: u64) -> Self {
        Self {
            history: History::new(user.clone()),
            user,
            ports,
            calm,
            is_near,
            random: Random::new(seed),
            jar: Jar::default(),
            ended: Vec::new(),
            has_taken_stock: false,
            number: 0,
            tally: Tally::default(),
        }
    }

    /// One or two requests, and a rest.
    pub(crate) async fn step(&mut self) {
        if !self.has_taken_stock && self.calm.mended().is_some() {
            self.take_stock().await;
        }
        let doubt = self.history.doubt();
        if doubt.is_some_and(|doubt| self.calm.is_settled_since(doubt)) {
            self.history.settle();
            self.look().await;
        }
        if self.history.is_out() {
            self.login().await;
        } else {
            match self.random.below(100) {
                0..40 => self.look().await,
                40..60 => self.write().await,
                60..75 => self.count().await,
                75..85 => self.write_and_count().await,
                85..90 => self.look_back().await,
                90..95 => self.login().await,
                _ => self.logout().await,
            }
        }
        sleep(REST).await;
    }

    /// Looks at everything when all is mended: what a server that died had not given to others is missing now or never.
    async fn take_stock(&mut self) {
        let acknowledged = self.tally.acknowledged;
        self.look().await;
        let has_seen = self.tally.acknowledged > acknowledged;
        for _ in 0..self.ended.len() {
            self.look_back().await;
        }
        self.has_taken_stock = has_seen && self.ended.is_empty();
    }

    /// Looks at the session on every instance, when nothing can come late any more.
    pub(crate) async fn look_everywhere(&mut self) {
        self.history.settle();
        for instance in 0..self.ports.len() {
            self.look_at(instance).await;
        }
        for _ in 0..self.ended.len() {
            self.look_back().await;
        }
    }

    async fn look(&mut self) {
        let instance = self.any();
        self.look_at(instance).await;
    }

    async fn look_at(&mut self, instance: usize) {
        let header = self.jar.header();
        if let Outcome::Done(answer) = self.request(instance, "GET", "/", &header).await {
            self.see(&answer, instance);
        }
    }

    fn see(&mut self, answer: &Answer, instance: usize) {
        let Ok(view) = serde_json::from_str::<View>(&answer.body) else {
            self.tally.unexpected += 1;
            return;
        };
        let before = format!("{:?}", self.history);
        if let Err(broken) = self.history.see(&view) {
            self.tally.fail(broken, self.has_taken_stock, || {
                format!("{broken:?} at instance {instance}: {view:?} after {before}")
            });
        }
    }

    async fn write(&mut self) {
        let (instance, key) = (self.any(), self.key());
        let (number, sent, header) = (self.next(), Instant::now(), self.jar.header());
        let outcome = self
            .request(instance, "POST", &format!("/write/{key}/{number}"), &header)
            .await;
        self.wrote(&outcome, key, number, sent);
    }

    fn wrote(&mut self, outcome: &Outcome, key: &str, number: u64, sent: Instant) {
        match outcome {
            Outcome::Done(_) => self.history.wrote(key, number),
            Outcome::Refused => {}
            Outcome::Unknown => self.history.may_have_written(key, number, sent),
        }
    }

    async fn count(&mut self) {
        let (instance, sent, header) = (self.any(), Instant::now(), self.jar.header());
        let outcome = self.request(instance, "POST", "/count", &header).await;
        self.counted(&outcome, sent);
    }

    fn counted(&mut self, outcome: &Outcome, sent: Instant) {
        match outcome {
            Outcome::Done(answer) => {
                let told = answer.body.parse().unwrap_or(u64::MAX);
                if let Err(broken) = self.history.counted(told) {
                    self.tally.fail(broken, self.has_taken_stock, || {
                        format!("{broken:?}: the counter was told to be {told}")
                    });
                }
            }
            Outcome::Refused => {}
            Outcome::Unknown => self.history.may_have_counted(sent),
        }
    }

    /// Two requests at the same time, as of two tabs.
    async fn write_and_count(&mut self) {
        let (one, other, key) = (self.any(), self.any(), self.key());
        let (number, sent, header) = (self.next(), Instant::now(), self.jar.header());
        let path = format!("/write/{key}/{number}");
        let (write, count) = tokio::join!(
            exchange(&self.ports, one, "POST", &path, &header),
            exchange(&self.ports, other, "POST", "/count", &header),
        );
        let write = self.outcome(write, one);
        let count = self.outcome(count, other);
        self.wrote(&write, key, number, sent);
        self.counted(&count, sent);
    }

    async fn login(&mut self) {
        let (instance, sent, before) = (self.any(), Instant::now(), self.jar.clone());
        match self
            .request(instance, "POST", &format!("/login/{}", self.user), &before.header())
            .await
        {
            Outcome::Done(_) => {
                if !self.history.is_out() {
                    self.ended.push((before, Instant::now()));
                }
                self.history.logged_in();
            }
            Outcome::Refused => {}
            Outcome::Unknown => self.history.may_have_ended(sent),
        }
    }

    async fn logout(&mut self) {
        let (instance, sent, before) = (self.any(), Instant::now(), self.jar.clone());
        match self.request(instance, "POST", "/logout", &before.header()).await {
            Outcome::Done(_) => {
                self.ended.push((before, Instant::now()));
                self.history.logged_out();
            }
            Outcome::Refused => {}
            Outcome::Unknown => self.history.may_have_ended(sent),
        }
    }

    /// With cookies that open nothing any more.
    async fn look_back(&mut self) {
        let Some((jar, since)) = self.ended.pop() else {
            return;
        };
        if self.is_near {
            sleep(LEASE.saturating_sub(since.elapsed())).await;
        }
        let instance = self.any();
        let exchanged = exchange(&self.ports, instance, "GET", "/", &jar.header()).await;
        let Outcome::Done(answer) = self.outcome_of(exchanged, instance) else {
            self.ended.push((jar, since));
            return;
        };
        if serde_json::from_str::<View>(&answer.body).is_ok_and(|view| view.user.is_some()) {
            let broken = Broken::Ended;
            self.tally.fail(broken, self.has_taken_stock, || {
                format!("{broken:?} at instance {instance}: a token taken back still opens")
            });
        }
    }

    async fn request(&mut self, instance: usize, method: &str, path: &str, cookies: &str) -> Outcome {
        let exchanged = exchange(&self.ports, instance, method, path, cookies).await;
        self.outcome(exchanged, instance)
    }

    /// What became of it. Takes the cookies.
    fn outcome(&mut self, exchanged: Exchanged, instance: usize) -> Outcome {
        if let Ok(answer) = &exchanged.answer {
            self.jar.take(&answer.cookies);
        }
        self.outcome_of(exchanged, instance)
    }

    fn outcome_of(&mut self, exchanged: Exchanged, instance: usize) -> Outcome {
        let Exchanged { answer, sent, took } = exchanged;
        self.tally.requests += 1;
        let is_about = self.calm.is_about(instance);
        if !is_about {
            self.tally.longest = self.tally.longest.max(took);
            if took > DEADLINE {
                let status = answer.as_ref().map(|answer| answer.status).ok();
                self.tally
                    .noted
                    .push(format!("instance {instance} answered {status:?} after {took:?}"));
            }
        }
        let outcome = match answer {
            Ok(answer) if answer.status == 200 => {
                self.tally.acknowledged += 1;
                return Outcome::Done(answer);
            }
            // Only where nobody knows whether a login or a logout was done.
            Ok(answer) if matches!(answer.status, 401 | 409) => {
                if let Err(broken) = self.history.see_nobody() {
                    let status = answer.status;
                    self.tally.fail(broken, self.has_taken_stock, || {
                        format!("{broken:?}: instance {instance} answered {status}")
                    });
                }
                return Outcome::Refused;
            }
            Ok(answer) if answer.status == 503 => {
                self.tally.refused += 1;
                Outcome::Unknown
            }
            Ok(answer) => {
                self.tally.unexpected += 1;
                let (status, body) = (answer.status, answer.body);
                self.tally
                    .first
                    .get_or_insert_with(|| format!("answered {status}: {body}"));
                Outcome::Unknown
            }
            Err(error) => {
                self.tally.unanswered += 1;
                if !is_about {
                    self.tally.unexpected += 1;
                    self.tally
                        .first
                        .get_or_insert_with(|| format!("instance {instance}: {error}"));
                }
                Outcome::Unknown
            }
        };
        if let Some(mended) = self.calm.mended().filter(|mended| *mended <= sent) {
            self.tally.last_refusal = Some(Instant::now());
            let after = mended.elapsed();
            self.tally.noted.push(format!(
                "instance {instance} refused {after:?} after all was mended, in {took:?}"
            ));
        }
        outcome
    }

    fn any(&mut self) -> usize {
        self.random.below(self.ports.len())
    }

    fn key(&mut self) -> &'static str {
        KEYS[self.random.below(KEYS.len())]
    }

    const fn next(&mut self) -> u64 {
        self.number += 1;
        self.number
    }
}

/// A request that is over.
struct Exchanged {
    answer: io::Result<Answer>,
    sent: Instant,
    took: Duration,
}

async fn exchange(ports: &Ports, instance: usize, method: &str, path: &str, cookies: &str) -> Exchanged {
    let port = ports[instance].load(Ordering::Relaxed);
    let sent = Instant::now();
    let answer = http::send(port, method, path, cookies).await;
    Exchanged {
        answer,
        sent,
        took: sent.elapsed(),
    }
}
