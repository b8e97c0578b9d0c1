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

/// What a browser knows of its session, from what it was answered.
#[derive(Debug)]
pub(crate) struct History {
    user: String,
    login: Login,
    /// The numbers that a key may have; 0 is none.
    keys: BTreeMap<String, BTreeSet<u64>>,
    /// Numbers whose writes may still come, for nobody knows what became of them.
    floating: BTreeMap<String, BTreeSet<u64>>,
    least: u64,
    most: u64,
    /// How many updates of the counter may still come.
    floating_counts: u64,
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

impl History {
    pub(crate) fn new(user: String) -> Self {
        Self {
            user,
            login: Login::Out,
            keys: BTreeMap::new(),
            floating: BTreeMap::new(),
            least: 0,
            most: 0,
            floating_counts: 0,
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
        self.floating.clear();
        self.floating_counts = 0;
    }

    pub(crate) fn wrote(&mut self, key: &str, number: u64) {
        let mut may_be = self.floating.get(key).cloned().unwrap_or_default();
        may_be.insert(number);
        self.keys.insert(key.to_owned(), may_be);
    }

    pub(crate) fn may_have_written(&mut self, key: &str, number: u64, sent: Instant) {
        let may_be = self.keys.entry(key.to_owned()).or_insert_with(|| [0].into());
        may_be.insert(number);
        self.floating.entry(key.to_owned()).or_default().insert(number);
        self.doubt = Some(sent);
    }

    /// What the counter was told to be must be possible.
    pub(crate) fn counted(&mut self, told: u64) -> Result<(), Broken> {
        self.least += 1;
        self.most += 1;
        let is_possible = (self.least..=self.most).contains(&told);
        if !is_possible {
            (self.least, self.most) = (told, told + self.floating_counts);
            return Err(Broken::Count);
        }
        self.least = told;
        Ok(())
    }

    pub(crate) fn may_have_counted(&mut self, sent: Instant) {
        self.most += 1;
        self.floating_counts += 1;
        self.doubt = Some(sent);
    }

    pub(crate) fn logged_in(&mut self) {
        match self.login {
            Login::In => {}
            Login::Out => self.forget(),
            // The session may be the one of before, or a new one.
            Login::PerhapsOut => {
                for may_be in self.keys.values_mut() {
                    may_be.insert(0);
                }
                self.least = 0;
            }
        }
        self.login = Login::In;
    }

    pub(crate) fn logged_out(&mut self) {
        self.login = Login::Out;
        self.forget();
    }

    /// A login or logout, whose answer never came or was no answer.
    pub(crate) fn may_have_ended(&mut self, sent: Instant) {
        if self.login == Login::In {
            self.login = Login::PerhapsOut;
        }
        self.doubt = Some(sent);
    }

    /// Compares what an instance shows with what is known, and learns from it.
    pub(crate) fn see(&mut self, view: &View) -> Result<(), Broken> {
        match &view.user {
            None => return self.see_nobody(),
            Some(user) if self.is_out() || *user != self.user => return Err(Broken::Ended),
            Some(_) => {}
        }
        if self.doubt.is_none() {
            self.login = Login::In;
        }
        let mut broken = None;
        let mut keys: BTreeSet<&String> = self.keys.keys().collect();
        keys.extend(view.written.keys());
        for key in keys.into_iter().cloned().collect::<Vec<_>>() {
            let number = view.written.get(&key).copied().unwrap_or(0);
            let is_possible = self
                .keys
                .get(&key)
                .map_or(number == 0, |may_be| may_be.contains(&number));
            if !is_possible {
                broken = Some(Broken::Write);
            }
            if !is_possible || self.doubt.is_none() {
                self.wrote(&key, number);
            }
        }
        if !(self.least..=self.most).contains(&view.count) {
            broken = Some(Broken::Count);
            (self.least, self.most) = (view.count, view.count + self.floating_counts);
        } else if self.doubt.is_none() {
            (self.least, self.most) = (view.count, view.count);
        }
        broken.map_or(Ok(()), Err)
    }

    /// An instance says that nobody is logged in.
    pub(crate) fn see_nobody(&mut self) -> Result<(), Broken> {
        match self.login {
            Login::Out => Ok(()),
            Login::PerhapsOut => {
                if self.doubt.is_none() {
                    self.logged_out();
                }
                Ok(())
            }
            Login::In => {
                self.logged_out();
                Err(Broken::Session)
            }
        }
    }

    fn forget(&mut self) {
        self.keys.clear();
        self.floating.clear();
        (self.least, self.most) = (0, 0);
        self.floating_counts = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(user: Option<&str>, written: &[(&str, u64)], count: u64) -> View {
        View {
            user: user.map(str::to_owned),
            written: written
                .iter()
                .map(|(key, number)| ((*key).to_owned(), *number))
                .collect(),
            count,
        }
    }

    fn logged_in() -> History {
        let mut history = History::new("ann".to_owned());
        history.logged_in();
        history
    }

    #[test]
    fn what_was_acknowledged_must_be_there() {
        let mut history = logged_in();
        history.wrote("a", 1);
        history.counted(1).unwrap();
        assert_eq!(history.see(&view(Some("ann"), &[("a", 1)], 1)), Ok(()));
        history.wrote("a", 2);
        assert_eq!(history.see(&view(Some("ann"), &[("a", 1)], 1)), Err(Broken::Write));
        history.counted(2).unwrap();
        assert_eq!(history.see(&view(Some("ann"), &[("a", 1)], 1)), Err(Broken::Count));
        assert_eq!(history.counted(5), Err(Broken::Count));
        assert_eq!(history.see(&view(None, &[], 0)), Err(Broken::Session));
    }

    #[test]
    fn what_nobody_knows_may_be_either_until_it_is_seen() {
        let mut history = logged_in();
        history.wrote("a", 1);
        history.may_have_written("a", 2, Instant::now());
        history.may_have_counted(Instant::now());
        assert_eq!(history.see(&view(Some("ann"), &[("a", 2)], 1)), Ok(()));
        // It may have been late, and it may not.
        assert_eq!(history.see(&view(Some("ann"), &[("a", 1)], 0)), Ok(()));
        history.settle();
        assert_eq!(history.see(&view(Some("ann"), &[("a", 2)], 0)), Ok(()));
        assert_eq!(history.see(&view(Some("ann"), &[("a", 1)], 0)), Err(Broken::Write));
        assert_eq!(history.see(&view(Some("ann"), &[("a", 1)], 1)), Err(Broken::Count));
    }

    #[test]
    fn what_is_lost_is_lost_once_and_what_is_late_may_still_come() {
        let mut history = logged_in();
        history.wrote("a", 1);
        history.counted(1).unwrap();
        history.may_have_written("a", 2, Instant::now());
        history.may_have_counted(Instant::now());
        assert_eq!(history.see(&view(Some("ann"), &[], 0)), Err(Broken::Count));
        assert_eq!(history.see(&view(Some("ann"), &[], 0)), Ok(()));
        assert_eq!(history.see(&view(Some("ann"), &[("a", 2)], 1)), Ok(()));
        history.settle();
        assert_eq!(history.see(&view(Some("ann"), &[("a", 2)], 1)), Ok(()));
        assert_eq!(history.see(&view(Some("ann"), &[], 0)), Err(Broken::Count));
    }

    #[test]
    fn a_late_write_may_come_after_one_that_was_acknowledged() {
        let mut history = logged_in();
        history.may_have_written("a", 1, Instant::now());
        history.wrote("a", 2);
        assert_eq!(history.see(&view(Some("ann"), &[("a", 1)], 0)), Ok(()));
        assert_eq!(history.see(&view(Some("ann"), &[], 0)), Err(Broken::Write));
    }

    #[test]
    fn who_is_out_stays_out() {
        let mut history = logged_in();
        history.logged_out();
        assert_eq!(history.see(&view(None, &[], 0)), Ok(()));
        assert_eq!(history.see(&view(Some("ann"), &[], 0)), Err(Broken::Ended));
    }

    #[test]
    fn nobody_sees_another_user() {
        assert_eq!(logged_in().see(&view(Some("bob"), &[], 0)), Err(Broken::Ended));
    }

    #[test]
    fn an_unknown_logout_may_have_been_one() {
        let mut history = logged_in();
        history.wrote("a", 1);
        history.may_have_ended(Instant::now());
        assert_eq!(history.see(&view(Some("ann"), &[("a", 1)], 0)), Ok(()));
        assert_eq!(history.see(&view(None, &[], 0)), Ok(()));
        history.settle();
        assert_eq!(history.see(&view(None, &[], 0)), Ok(()));
        assert!(history.is_out());
    }
}
