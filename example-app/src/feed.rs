use std::{convert::Infallible, future::Future, pin::Pin, time::Duration};

use axum::{
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::{Stream, stream::unfold};
use session_core::{Error, Session};
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::{app::Here, live::Live};

/// How often the feed looks at what is in the session. Of its end it is told.
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
        ended: Box::pin(session.ended()),
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
    ended: Pin<Box<dyn Future<Output = ()> + Send>>,
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
            tokio::select! {
                // First, for a browser without a session has nothing to look at.
                biased;
                () = &mut self.ended => return Some(end()),
                _ = self.looks.tick() => {}
            }
            if self.here.health.is_stopping() {
                return None;
            }
            match look(&self.session).await {
                Ok(live) if live == self.told => {}
                Ok(live) => {
                    self.told = live;
                    let event = Event::default().retry(RETRY).data(&self.told);
                    return Some((event, Some(self)));
                }
                // This request does not know its session any more: the page asks under the cookie it has by now.
                Err(Error::Ended) => return Some(end()),
                // The store is away: the page keeps what it shows until it is back.
                Err(error) => tracing::debug!(error = &error as &dyn std::error::Error, "a feed cannot look"),
            }
        }
    }
}

/// What the page is to show, as JSON.
async fn look(session: &Session) -> Result<String, Error> {
    session.reload().await?;
    let live = Live::of(session)?;
    serde_json::to_string(&live).map_err(|source| Error::Encode {
        key: "the feed".into(),
        source: source.into(),
    })
}

/// The last event of a session.
fn end() -> (Event, Option<Feed>) {
    // A browser ignores an event without data.
    (Event::default().event("ended").data("ended"), None)
}

#[cfg(test)]
mod tests;
