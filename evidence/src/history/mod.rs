#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Instant,
};

use serde::Deserialize;

/// What an instance says that a session holds.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct View {
    pub(crate) user: Option<String>,
    /// The numbers that were written, by key.
    pub(crate) written: BTreeMap<String, u64>,
    pub(crate) count: u64,
}

/// A promise that was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Broken {
    /// A write that was acknowledged is not there, or one that was not made is (P1, P5).
    Write,
    /// A counter is not what its updates make of it (P2).
    Count,
    /// A session is gone that nobody ended.
    Session,
    /// A session opens that was ended, or by a token that was taken from it (P3, P6).
    Ended,
}

/// A promise that was broken, and when the oldest was acknowledged of what is lost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Breach {
    pub(crate) broken: Broken,
    pub(crate) acknowledged: Instant,
}

impl Broken {
    const fn since(self, acknowledged: Instant) -> Breach {
        Breach {
            broken: self,
            acknowledged,
        }
    }
}

/// What a browser knows of its session, from what it was answered.
#[derive(Debug)]
pub(crate) struct History {
    user: String,
    began: Instant,
    login: Login,
    /// When it was logged in or out last.
    login_since: Instant,
    keys: BTreeMap<String, Written>,
    count: Count,
    /// When the last request was sent whose outcome nobody knows, until it is.
    doubt: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Login {
    In,
    Out,
    /// A login or logout was asked for, and nobody knows what became of it.
    PerhapsOut,
}

/// What is known of a key.
#[derive(Debug)]
struct Written {
    /// The numbers that it may have; 0 is none.
    may_be: BTreeSet<u64>,
    /// Those of writes that may still come, for nobody knows what became of them.
    floating: BTreeSet<u64>,
    log: Log,
}

/// What is known of the counter.
#[derive(Debug)]
struct Count {
    least: u64,
    most: u64,
    /// How many updates may still come.
    floating: u64,
    log: Log,
}

/// Numbers, the latest of them, in the order in which they were asked for; and since when each is acknowledged, if it
/// is.
#[derive(Debug, Default)]
struct Log(VecDeque<(u64, Option<Instant>)>);

impl History {
    pub(crate) fn new(user: String) -> Self {
        Self {
            user,
            began: Instant::now(),
            login: Login::Out,
            login_since: Instant::now(),
            keys: BTreeMap::new(),
            count: Count::new(),
            doubt: None,
        }
    }

    pub(crate) fn is_out(&self) -> bool {
        self.login == Login::Out
    }

    /// When the last request was sent whose outcome nobody knows.
    pub(crate) fn doubt(&self) -> Option<Instant> {
        self.doubt
    }

    /// Nothing can come late any more: the next view tells how it is.
    pub(crate) fn settle(&mut self) {
        self.doubt = None;
        self.keys.values_mut().for_each(|written| written.floating.clear());
        self.count.floating = 0;
    }

    pub(crate) fn wrote(&mut self, key: &str, number: u64) {
        let written = self.written(key);
        written.is(number);
        written.log.note(number, Some(Instant::now()));
    }

    pub(crate) fn may_have_written(&mut self, key: &str, number: u64, sent: Instant) {
        let written = self.written(key);
        written.may_be.insert(number);
        written.floating.insert(number);
        written.log.note(number, None);
        self.doubt = Some(sent);
    }

    /// What the counter was told to be must be possible.
    pub(crate) fn counted(&mut self, told: u64) -> Result<(), Breach> {
        let count = &mut self.count;
        count.least += 1;
        count.most += 1;
        let is_possible = (count.least..=count.most).contains(&told);
        count.least = told;
        let breach = (!is_possible).then(|| {
            let before = told.saturating_sub(1);
            let breach = count.breach(before, self.began);
            count.log.goes_back_to(before);
            count.most = told + count.floating;
            breach
        });
        count.log.note(told, Some(Instant::now()));
        breach.map_or(Ok(()), Err)
    }

    pub(crate) fn may_have_counted(&mut self, sent: Instant) {
        self.count.most += 1;
        self.count.floating += 1;
        self.doubt = Some(sent);
    }

    pub(crate) fn logged_in(&mut self) {
        match self.login {
            Login::In => {}
            Login::Out => self.forget(),
            // The session may be the one of before, or a new one.
            Login::PerhapsOut => {
                for written in self.keys.values_mut() {
                    written.may_be.insert(0);
                }
                self.count.least = 0;
            }
        }
        self.is_now(Login::In);
    }

    pub(crate) fn logged_out(&mut self) {
        self.is_now(Login::Out);
        self.forget();
    }

    /// A login or logout, whose answer never came or was no answer.
    pub(crate) fn may_have_ended(&mut self, sent: Instant) {
        if self.login == Login::In {
            self.login = Login::PerhapsOut;
        }
        self.doubt = Some(sent);
    }

    /// Compares what an instance shows with what is known, and learns from it. What breaks the oldest knowledge counts.
    pub(crate) fn see(&mut self, view: &View) -> Result<(), Breach> {
        match &view.user {
            None => return self.see_nobody(),
            Some(user) if *user != self.user => return Err(Broken::Ended.since(self.began)),
            Some(_) if self.is_out() => return Err(Broken::Ended.since(self.login_since)),
            Some(_) => {}
        }
        let is_sure = self.doubt.is_none();
        if is_sure {
            self.login = Login::In;
        }
        for key in view.written.keys() {
            self.written(key);
        }
        let mut breaches = Vec::new();
        for (key, written) in &mut self.keys {
            let number = view.written.get(key).copied().unwrap_or(0);
            // What is seen has been done, and is not done again.
            written.floating.remove(&number);
            if !written.may_be.contains(&number) {
                let oldest = written.log.oldest_after(number).unwrap_or(self.began);
                breaches.push(Broken::Write.since(oldest));
                written.is(number);
                written.log.goes_back_to(number);
            } else if is_sure {
                written.is(number);
            }
        }
        let count = &mut self.count;
        if !(count.least..=count.most).contains(&view.count) {
            breaches.push(count.breach(view.count, self.began));
            count.log.goes_back_to(view.count);
            (count.least, count.most) = (view.count, view.count + count.floating);
        } else if is_sure {
            (count.least, count.most) = (view.count, view.count);
        }
        let oldest = breaches.into_iter().min_by_key(|breach| breach.acknowledged);
        oldest.map_or(Ok(()), Err)
    }

    /// An instance says that nobody is logged in.
    pub(crate) fn see_nobody(&mut self) -> Result<(), Breach> {
        match self.login {
            Login::Out => Ok(()),
            Login::PerhapsOut => {
                if self.doubt.is_none() {
                    self.logged_out();
                }
                Ok(())
            }
            Login::In => {
                let since = self.login_since;
                self.logged_out();
                Err(Broken::Session.since(since))
            }
        }
    }

    fn is_now(&mut self, login: Login) {
        self.login = login;
        self.login_since = Instant::now();
    }

    /// What is known of a key, which was never written if nothing is.
    fn written(&mut self, key: &str) -> &mut Written {
        self.keys.entry(key.to_owned()).or_insert_with(|| Written {
            may_be: [0].into(),
            floating: BTreeSet::new(),
            log: Log::default(),
        })
    }

    fn forget(&mut self) {
        self.keys.clear();
        self.count = Count::new();
    }
}

impl Written {
    /// It has this number, unless a write comes late.
    fn is(&mut self, number: u64) {
        self.may_be.clone_from(&self.floating);
        self.may_be.insert(number);
    }
}

impl Count {
    const fn new() -> Self {
        Self {
            least: 0,
            most: 0,
            floating: 0,
            log: Log(VecDeque::new()),
        }
    }

    /// That it is this: what it was told to be beyond it is lost. If it is too much nothing was.
    fn breach(&self, shown: u64, began: Instant) -> Breach {
        let lost = self.log.0.iter().find(|(told, _)| *told > shown);
        let oldest = lost.and_then(|(_, since)| *since);
        Broken::Count.since(oldest.unwrap_or(began))
    }
}

impl Log {
    /// How many it keeps: more than are asked for from shortly before a fault until it is over.
    const MOST: usize = 1000;

    fn note(&mut self, number: u64, since: Option<Instant>) {
        if self.0.len() == Self::MOST {
            self.0.pop_front();
        }
        self.0.push_back((number, since));
    }

    /// When the first was acknowledged that came after this number; 0 is before all. None if the number is not known.
    fn oldest_after(&self, number: u64) -> Option<Instant> {
        let place = self.0.iter().rposition(|(known, _)| *known == number);
        let first = match place {
            Some(place) => place + 1,
            None if number == 0 => 0,
            None => return None,
        };
        self.0.iter().skip(first).find_map(|(_, since)| *since)
    }

    /// What came after this number is lost.
    fn goes_back_to(&mut self, number: u64) {
        let place = self.0.iter().rposition(|(known, _)| *known == number);
        self.0.truncate(place.map_or(0, |place| place + 1));
    }
}
