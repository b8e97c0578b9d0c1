use std::time::Duration;

use askama::Template;
use session_core::{Error, Session};

use crate::{
    accounts::{Account, DEMO_ACCOUNTS},
    answered::Dot,
    app::Here,
    devices::{self, Line},
    live::Live,
    span::Span,
};

/// The page's script and its style sheet: in the page, not beside it, so that each page is one request and the balancer
/// takes turns by pages.
pub(crate) const SCRIPT: &str = include_str!("../templates/page.js");
pub(crate) const STYLE: &str = include_str!("../templates/page.css");

/// What the page shows. The template escapes every value in it.
#[derive(Debug, Template)]
#[template(path = "page.html")]
pub(crate) struct Page<'a> {
    instance: Dot<'a>,
    /// What its platform calls it, in short.
    guid: Option<&'a str>,
    live: Live,
    devices: Vec<Line>,
    idle: Span,
    accounts: &'static [Account],
    /// The name that a login failed with, and why.
    failed: Option<(String, Refusal)>,
}

/// Why nobody was logged in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Refusal {
    TooManySessions { max: u32 },
    WrongPassword,
}

impl<'a> Page<'a> {
    pub(crate) async fn new(session: &Session, here: &'a Here) -> Result<Self, Error> {
        Ok(Self {
            instance: Dot { instance: &here.name },
            guid: here.guid.as_deref(),
            live: Live::of(session)?,
            devices: devices::of(session).await?,
            idle: here.idle,
            accounts: &DEMO_ACCOUNTS,
            failed: None,
        })
    }

    /// Says that nobody was logged in under this name, and why.
    pub(crate) fn with_refusal(mut self, name: String, refusal: Refusal) -> Self {
        self.failed = Some((name, refusal));
        self
    }

    fn failed_name(&self) -> &str {
        self.failed.as_ref().map_or("", |(name, _)| name)
    }

    fn refusal(&self) -> Option<Refusal> {
        self.failed.as_ref().map(|(_, refusal)| *refusal)
    }

    /// Whether what was typed was wrong.
    fn is_wrong(&self) -> bool {
        matches!(self.refusal(), Some(Refusal::WrongPassword))
    }

    /// At most how often a request is noted as the last one; the layer's own rule.
    fn noted(&self) -> Span {
        Span((self.idle.0 / 10).min(Duration::from_secs(60)))
    }

    pub(crate) fn html(&self) -> Result<String, askama::Error> {
        self.render()
    }
}
