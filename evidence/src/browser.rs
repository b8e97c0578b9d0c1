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
    history::{Breach, Broken, History, View},
    http::{self, Answer},
    instance::DEADLINE,
    jar::Jar,
    random::Random,
    tally::{Tally, When},
};

/// How long a browser rests between two requests.
const REST: Duration = Duration::from_millis(30);

/// How long near caches of other instances may show what has ended: a lease, and a little for a slow machine.
const LEASE: Duration = Duration::from_millis(900);

/// How many of the cookies that open nothing any more it tries.
const MOST_ENDED: usize = 100;

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
    /// Whether it knows what the fault cost, which is over: from then on nothing else may be lost.
    has_taken_stock: bool,
    number: u64,
    steps: u64,
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
            // Not all do the same at the same time.
            steps: seed * 17,
            tally: Tally::default(),
        }
    }

    /// One or two requests, and a rest.
    pub(crate) async fn step(&mut self) {
        if !self.has_taken_stock && self.calm.is_over() {
            self.take_stock().await;
        }
        let doubt = self.history.doubt();
        if doubt.is_some_and(|doubt| self.calm.is_settled_since(doubt)) {
            self.history.settle();
            self.look().await;
        }
        self.steps += 1;
        // With near caches, which a browser passes by for two seconds after each of its writes.
        let only_looks = self.is_near && self.steps % 120 > 40;
        if self.history.is_out() {
            self.login().await;
        } else {
            match self.random.below(if only_looks { 45 } else { 100 }) {
                0..40 => drop(self.look().await),
                40..45 => self.look_back().await,
                45..65 => self.write().await,
                65..80 => self.count().await,
                80..90 => self.write_and_count().await,
                90..95 => self.login().await,
                _ => self.logout().await,
            }
        }
        sleep(REST).await;
    }

    /// Looks at everything when the fault is over: what a server that died had told nobody is missing now or never.
    async fn take_stock(&mut self) {
        if !self.look().await {
            return;
        }
        for number in (0..self.ended.len()).rev() {
            let instance = self.any();
            if !self.look_back_at(instance, number).await {
                return;
            }
        }
        self.has_taken_stock = true;
    }

    /// Looks at everything on every instance, when nothing can come late any more. All have to answer.
    pub(crate) async fn look_everywhere(&mut self) {
        self.history.settle();
        for instance in 0..self.ports.len() {
            let mut is_answered = self.look_at(instance).await;
            for number in (0..self.ended.len()).rev() {
                is_answered &= self.look_back_at(instance, number).await;
            }
            if !is_answered {
                self.tally
                    .wonder(|| format!("instance {instance} does not answer in the end"));
            }
        }
    }

    async fn look(&mut self) -> bool {
        let instance = self.any();
        self.look_at(instance).await
    }

    /// Whether it was answered.
    async fn look_at(&mut self, instance: usize) -> bool {
        let header = self.jar.header();
        let Outcome::Done(answer) = self.request(instance, "GET", "/", &header).await else {
            return false;
        };
        self.see(&answer, instance);
        true
    }

    fn see(&mut self, answer: &Answer, instance: usize) {
        let Ok(view) = serde_json::from_str::<View>(&answer.body) else {
            self.tally
                .wonder(|| format!("instance {instance} shows {}", answer.body));
            return;
        };
        let before = format!("{:?}", self.history);
        if let Err(breach) = self.history.see(&view) {
            self.fail(breach, || format!("at instance {instance}: {view:?} after {before}"));
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
            // What was done beside it may have shown meanwhile that nobody is logged in.
            Outcome::Done(_) if self.history.is_out() => {}
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
            Outcome::Done(_) if self.history.is_out() => {}
            Outcome::Done(answer) => {
                let told = answer.body.parse().unwrap_or(u64::MAX);
                if let Err(breach) = self.history.counted(told) {
                    self.fail(breach, || format!("the counter was told to be {told}"));
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
                    self.has_ended(before);
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
                self.has_ended(before);
                self.history.logged_out();
            }
            Outcome::Refused => {}
            Outcome::Unknown => self.history.may_have_ended(sent),
        }
    }

    /// These cookies open nothing any more.
    fn has_ended(&mut self, jar: Jar) {
        if self.ended.len() == MOST_ENDED {
            self.ended.remove(0);
        }
        self.ended.push((jar, Instant::now()));
    }

    async fn look_back(&mut self) {
        if !self.ended.is_empty() {
            let (instance, number) = (self.any(), self.random.below(self.ended.len()));
            self.look_back_at(instance, number).await;
        }
    }

    /// With cookies that open nothing any more. Whether it was answered.
    async fn look_back_at(&mut self, instance: usize, number: usize) -> bool {
        let (jar, acknowledged) = &self.ended[number];
        let acknowledged = *acknowledged;
        if self.is_near {
            sleep(LEASE.saturating_sub(acknowledged.elapsed())).await;
        }
        let exchanged = exchange(&self.ports, instance, "GET", "/", &jar.header()).await;
        let Outcome::Done(answer) = self.outcome_of(exchanged, instance) else {
            return false;
        };
        if serde_json::from_str::<View>(&answer.body).is_ok_and(|view| view.user.is_some()) {
            let broken = Broken::Ended;
            let breach = Breach { broken, acknowledged };
            self.fail(breach, || {
                format!("at instance {instance}: a token taken back still opens")
            });
            // It is known now.
            self.ended.swap_remove(number);
        }
        true
    }

    fn fail(&mut self, breach: Breach, words: impl FnOnce() -> String) {
        let Breach { broken, acknowledged } = breach;
        let when = if self.has_taken_stock {
            When::Since
        } else if self.calm.may_cost(acknowledged) {
            When::Meanwhile
        } else {
            When::Before
        };
        self.tally
            .fail(broken, when, || format!("{broken:?}, {when:?}: {}", words()));
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
                if let Err(breach) = self.history.see_nobody() {
                    self.fail(breach, || format!("instance {instance} answered {}", answer.status));
                }
                return Outcome::Refused;
            }
            Ok(answer) if answer.status == 503 => {
                self.tally.refused += 1;
                Outcome::Unknown
            }
            Ok(answer) => {
                let (status, body) = (answer.status, answer.body);
                self.tally.wonder(|| format!("answered {status}: {body}"));
                Outcome::Unknown
            }
            Err(error) => {
                self.tally.unanswered += 1;
                if !is_about {
                    self.tally.wonder(|| format!("instance {instance}: {error}"));
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
