use std::collections::BTreeMap;

use askama::Template;
use serde::{Serialize, Serializer};

use crate::visits::{RECENT, Visits};

/// How many colours the style sheet has for instances.
const COLOURS: u32 = 8;

/// Which instances answered the last visits, as the dots of the page.
#[derive(Debug, PartialEq, Template)]
#[template(path = "answered.html")]
pub(crate) struct Answered {
    recent: Vec<String>,
}

/// An instance, as a dot of a colour that is its own.
#[derive(Clone, Copy, Debug, Template)]
#[template(path = "dot.html")]
pub(crate) struct Dot<'a> {
    pub(crate) instance: &'a str,
}

impl From<Visits> for Answered {
    fn from(visits: Visits) -> Self {
        let recent = visits.recent.into();
        Self { recent }
    }
}

/// As the page shows it, so that the script need not know how dots are made.
impl Serialize for Answered {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Answered {
    fn dots(&self) -> impl Iterator<Item = Dot<'_>> {
        self.recent.iter().map(|instance| Dot { instance })
    }

    /// The places of the row that no visit has taken yet.
    fn free(&self) -> usize {
        RECENT.saturating_sub(self.recent.len())
    }

    /// How many of the last visits each instance answered.
    fn shares(&self) -> BTreeMap<&str, usize> {
        let mut shares = BTreeMap::new();
        for instance in &self.recent {
            *shares.entry(instance.as_str()).or_default() += 1;
        }
        shares
    }
}

impl Dot<'_> {
    /// The number of its colour. Instances with numbers in a row have colours in a row.
    pub(crate) fn colour(&self) -> u32 {
        let hash = |name: &str| {
            name.bytes()
                .fold(0, |hash: u32, byte| hash.wrapping_mul(31).wrapping_add(byte.into()))
        };
        self.instance.parse().unwrap_or_else(|_| hash(self.instance)) % COLOURS
    }

    /// What fits into the dot, so that it can be told from others without seeing colours.
    fn label(&self) -> &str {
        if self.instance.chars().count() <= 2 {
            self.instance
        } else {
            ""
        }
    }
}
