use std::collections::BTreeMap;

use askama::Template;
use session_core::{Error, Session};

use crate::{
    accounts::{Account, DEMO_ACCOUNTS},
    visits::{RECENT, Visits},
};

/// How many colours the style sheet has for instances.
const COLOURS: u32 = 8;

/// What the page shows. The template escapes every value in it.
#[derive(Debug, Template)]
#[template(path = "page.html")]
pub(crate) struct Page<'a> {
    instance: Dot<'a>,
    user: Option<String>,
    session: Option<String>,
    visits: u64,
    recent: Vec<String>,
    note: Option<String>,
    accounts: &'static [Account],
    /// The name that a login failed with.
    failed: Option<String>,
}

/// An instance, as a dot of a colour that is its own.
#[derive(Clone, Copy, Debug)]
struct Dot<'a> {
    instance: &'a str,
}

impl<'a> Page<'a> {
    pub(crate) fn new(session: &Session, instance: &'a str, visits: Visits) -> Result<Self, Error> {
        Ok(Self {
            instance: Dot { instance },
            user: session.user(),
            session: session.id().map(|id| id.to_string()),
            visits: visits.count,
            recent: visits.recent.into(),
            note: session.get("note")?,
            accounts: &DEMO_ACCOUNTS,
            failed: None,
        })
    }

    /// Says that nobody was logged in under this name.
    pub(crate) fn with_failed_login(mut self, name: String) -> Self {
        self.failed = Some(name);
        self
    }

    pub(crate) fn html(&self) -> Result<String, askama::Error> {
        self.render()
    }

    fn dots(&self) -> impl Iterator<Item = Dot<'_>> {
        self.recent.iter().map(|instance| Dot { instance })
    }

    /// The places of the row that no request has taken yet.
    fn free(&self) -> usize {
        RECENT.saturating_sub(self.recent.len())
    }

    /// How many of the last requests each instance answered.
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
    fn colour(&self) -> u32 {
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
