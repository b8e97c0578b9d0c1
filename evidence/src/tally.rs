use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use crate::history::Broken;

/// What browsers saw in a round.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) requests: u64,
    /// Writes, updates, logins and logouts that were acknowledged.
    pub(crate) acknowledged: u64,
    broken: BTreeMap<Broken, u64>,
    /// Those that were broken when all was mended, and what had been lost was known.
    broken_since: BTreeMap<Broken, u64>,
    /// The first of them, in words.
    pub(crate) first: Option<String>,
    /// The first of them that nothing excuses any more.
    pub(crate) first_since: Option<String>,
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
        for (all, of_other) in [
            (&mut self.broken, &other.broken),
            (&mut self.broken_since, &other.broken_since),
        ] {
            for (broken, times) in of_other {
                *all.entry(*broken).or_default() += times;
            }
        }
        self.first = self.first.take().or_else(|| other.first.clone());
        self.first_since = self.first_since.take().or_else(|| other.first_since.clone());
        self.unexpected += other.unexpected;
        self.refused += other.refused;
        self.unanswered += other.unanswered;
        self.longest = self.longest.max(other.longest);
        self.noted.extend(other.noted.iter().cloned());
        self.last_refusal = self.last_refusal.max(other.last_refusal);
    }

    /// How often it was broken.
    pub(crate) fn times(&self, broken: Broken) -> u64 {
        self.broken.get(&broken).copied().unwrap_or(0)
    }

    /// How often of these a fault does not excuse, for it was over and what it had cost was known.
    pub(crate) fn times_since(&self, broken: Broken) -> u64 {
        self.broken_since.get(&broken).copied().unwrap_or(0)
    }

    /// Notes what is wrong; `since` is whether nothing excuses it any more.
    pub(crate) fn fail(&mut self, broken: Broken, since: bool, words: impl FnOnce() -> String) {
        *self.broken.entry(broken).or_default() += 1;
        if since {
            *self.broken_since.entry(broken).or_default() += 1;
            self.first_since.get_or_insert_with(words);
        } else {
            self.first.get_or_insert_with(words);
        }
    }
}
