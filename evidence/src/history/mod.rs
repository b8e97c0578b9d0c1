#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
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

/// A promise that was broken, and when what breaks it was acknowledged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Breach {
    pub(crate) broken: Broken,
    pub(crate) acknowledged: Instant,
}

/// What a browser knows of its session, from what it was answered.
#[derive(Debug)]
pub(crate) struct History {
    user: String,
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
    acknowledged: Instant,
}

/// What is known of the counter.
#[derive(Debug)]
struct Count {
    least: u64,
    most: u64,
    /// How many updates may still come.
    floating: u64,
    acknowledged: Instant,
}

impl History {
    pub(crate) fn new(user: String) -> Self {
        Self {
            user,
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
        written.acknowledged = Instant::now();
    }

    pub(crate) fn may_have_written(&mut self, key: &str, number: u64, sent: Instant) {
        let written = self.written(key);
        written.may_be.insert(number);
        written.floating.insert(number);
        self.doubt = Some(sent);
    }

    /// What the counter was told to be must be possible.
    pub(crate) fn counted(&mut self, told: u64) -> Result<(), Breach> {
        let count = &mut self.count;
        count.least += 1;
        count.most += 1;
        let is_possible = (count.least..=count.most).contains(&told);
        count.least = told;
        if !is_possible {
            let breach = count.breach();
            count.most = told + count.floating;
            count.acknowledged = Instant::now();
            return Err(breach);
        }
        count.acknowledged = Instant::now();
        Ok(())
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
            Some(user) if self.is_out() || *user != self.user => return Err(self.breach(Broken::Ended)),
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
                let (broken, acknowledged) = (Broken::Write, written.acknowledged);
                breaches.push(Breach { broken, acknowledged });
                written.is(number);
            } else if is_sure {
                written.is(number);
            }
        }
        let count = &mut self.count;
        if !(count.least..=count.most).contains(&view.count) {
            breaches.push(count.breach());
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
                let breach = self.breach(Broken::Session);
                self.logged_out();
                Err(breach)
            }
        }
    }

    fn is_now(&mut self, login: Login) {
        self.login = login;
        self.login_since = Instant::now();
    }

    fn breach(&self, broken: Broken) -> Breach {
        Breach {
            broken,
            acknowledged: self.login_since,
        }
    }

    /// What is known of a key, which was never written if nothing is.
    fn written(&mut self, key: &str) -> &mut Written {
        let acknowledged = self.login_since;
        self.keys.entry(key.to_owned()).or_insert_with(|| Written {
            may_be: [0].into(),
            floating: BTreeSet::new(),
            acknowledged,
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
    fn new() -> Self {
        Self {
            least: 0,
            most: 0,
            floating: 0,
            acknowledged: Instant::now(),
        }
    }

    fn breach(&self) -> Breach {
        Breach {
            broken: Broken::Count,
            acknowledged: self.acknowledged,
        }
    }
}
