use askama::Template;
use session_core::{Error, Session};

use crate::{
    accounts::{Account, DEMO_ACCOUNTS},
    answered::Dot,
    live::Live,
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
    live: Live,
    accounts: &'static [Account],
    /// The name that a login failed with.
    failed: Option<String>,
}

impl<'a> Page<'a> {
    pub(crate) fn new(session: &Session, instance: &'a str) -> Result<Self, Error> {
        Ok(Self {
            instance: Dot { instance },
            live: Live::of(session)?,
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
}
