use serde::Serialize;
use session_core::{Error, Session};

use crate::{
    answered::Answered,
    counter,
    notes::{self, Note},
    times::Times,
    visits::Visits,
};

/// What the page shows of a session, and the feed tells when it changes.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Live {
    /// The first characters of the session's id; none for a browser without a session.
    pub(crate) session: Option<String>,
    pub(crate) user: Option<String>,
    #[serde(flatten)]
    pub(crate) times: Option<Times>,
    pub(crate) visits: u64,
    pub(crate) answered: Answered,
    pub(crate) counter: u64,
    pub(crate) notes: Vec<Note>,
}

impl Live {
    pub(crate) fn of(session: &Session) -> Result<Self, Error> {
        let visits = Visits::of(session)?;
        Ok(Self {
            session: short_id(session),
            user: session.user(),
            times: session.info().map(Times::from),
            visits: visits.count,
            answered: visits.into(),
            counter: counter::of(session)?,
            notes: notes::of(session),
        })
    }
}

/// The first eight characters of the session's id, which is no secret; none for a browser without a session.
pub(crate) fn short_id(session: &Session) -> Option<String> {
    session.id().map(|id| id.to_string().chars().take(8).collect())
}
