use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::{Stream, stream::unfold};
use session_core::{Error, Session};
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::{app::Here, live::Live};

/// How often the feed looks at the session.
const PERIOD: Duration = Duration::from_millis(500);

/// When a browser whose stream has ended asks for another: on another instance, if this one is going.
const RETRY: Duration = Duration::from_millis(300);

/// Tells an open page what happens to its session, in whatever tab and on whatever instance.
///
/// It only reads. An open tab is no activity: it must not keep a session alive that nobody uses, so nothing here
/// touches it (opening the stream counts like any request, and follows the one that loaded the page).
pub(crate) async fn events(
    State(here): State<Here>,
    session: Session,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut looks = interval(PERIOD);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let feed = Feed {
        session,
        here,
        looks,
        told: String::new(),
    };
    let events = unfold(Some(feed), async |feed| {
        let (event, feed) = feed?.next().await?;
        Some((Ok(event), feed))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

struct Feed {
    session: Session,
    here: Here,
    looks: Interval,
    /// What the page knows.
    told: String,
}

impl Feed {
    /// The next event, and the feed if another may follow. None if the instance is stopping: requests under way are
    /// finished first, and this one would never be.
    async fn next(mut self) -> Option<(Event, Option<Self>)> {
        loop {
            self.looks.tick().await;
            if self.here.health.is_stopping() {
                return None;
            }
            match self.look().await {
                Ok(live) if live == self.told => {}
                Ok(live) => {
                    self.told = live;
                    let event = Event::default().retry(RETRY).data(&self.told);
                    return Some((event, Some(self)));
                }
                // A browser ignores an event without data.
                Err(Error::Ended) => return Some((Event::default().event("ended").data("ended"), None)),
                // The store is away: the page keeps what it shows until it is back.
                Err(error) => tracing::debug!(error = &error as &dyn std::error::Error, "a feed cannot look"),
            }
        }
    }

    async fn look(&self) -> Result<String, Error> {
        self.session.reload().await?;
        if self.session.id().is_none() {
            // There never was one.
            return Err(Error::Ended);
        }
        let live = Live::of(&self.session)?;
        serde_json::to_string(&live).map_err(|source| Error::Encode {
            key: "the feed".into(),
            source: source.into(),
        })
    }
}

#[cfg(test)]
mod tests;
