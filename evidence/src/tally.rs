use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use crate::history::Broken;

/// When it was that a promise was broken, for a fault excuses some of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum When {
    /// What was acknowledged long before the fault.
    Before,
    /// What was acknowledged at the time of the fault, or just before.
    Meanwhile,
    /// The fault was over, and what it had cost was known.
    Since,
}

impl When {
    pub(crate) const ALL: [Self; 3] = [Self::Before, Self::Meanwhile, Self::Since];
}

/// What browsers saw in a round.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) requests: u64,
    /// Writes, updates, logins and logouts that were acknowledged.
    pub(crate) acknowledged: u64,
    broken: BTreeMap<(Broken, When), u64>,
    /// The first of them, in words, and of each time.
    pub(crate) first: BTreeMap<When, String>,
    /// Answers that are neither yes, nor that the store is away.
    pub(crate) unexpected: u64,
    /// Answers that the store is away.
    pub(crate) refused: u64,
    /// Requests that no answer came to, from an instance that was killed or frozen.
    pub(crate) unanswered: u64,
    /// The longest that an instance took that was not itself harmed.
    pub(crate) longest: Duration,
    /// When the last request ended that was begun after all was mended, and was not answered with yes.
    pub(crate) last_refusal: Option<Instant>,
    /// What the latest and the longest of these were.
    pub(crate) noted: Vec<String>,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.acknowledged += other.acknowledged;
        for (broken, times) in &other.broken {
            *self.broken.entry(*broken).or_default() += times;
        }
        for (when, words) in &other.first {
            self.first.entry(*when).or_insert_with(|| words.clone());
        }
        self.unexpected += other.unexpected;
        self.refused += other.refused;
        self.unanswered += other.unanswered;
        self.longest = self.longest.max(other.longest);
        self.noted.extend(other.noted.iter().cloned());
        self.last_refusal = self.last_refusal.max(other.last_refusal);
    }

    /// How often it was broken at these times.
    pub(crate) fn times(&self, broken: Broken, when: &[When]) -> u64 {
        let times = when.iter().filter_map(|when| self.broken.get(&(broken, *when)));
        times.sum()
    }

    /// Notes what is wrong.
    pub(crate) fn fail(&mut self, broken: Broken, when: When, words: impl FnOnce() -> String) {
        *self.broken.entry((broken, when)).or_default() += 1;
        self.first.entry(when).or_insert_with(words);
    }

    /// Notes an answer that should not be.
    pub(crate) fn wonder(&mut self, words: impl FnOnce() -> String) {
        self.unexpected += 1;
        self.first.entry(When::Since).or_insert_with(words);
    }
}
