use std::{convert::Infallible, future::Future, pin::Pin, time::Duration};

use axum::{
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::{Stream, stream::unfold};
use serde::Serialize;
use session_core::{Error, Session};
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::{app::Here, live::Live};

/// How often the feed looks at what is in the session. Of its end it is told.
const PERIOD: Duration = Duration::from_millis(500);

/// When a browser whose stream has ended asks for another: on another instance, if this one is going.
const RETRY: Duration = Duration::from_millis(300);

/// How long before its session ends a page warns; a quarter of the idle timeout, if that is less.
const WARNING: Duration = Duration::from_secs(120);

/// Tells an open page what happens to its session, in whatever tab and on whatever instance.
///
/// It only reads. An open tab is no activity: it must not keep a session alive that nobody uses, and browsers open the
/// stream again whenever a platform or an instance has closed it. So not even that counts.
pub(crate) async fn events(
    State(here): State<Here>,
    session: Session,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    session.leave_untouched();
    let mut looks = interval(PERIOD);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let feed = Feed {
        ended: Box::pin(session.ended()),
        session,
        here,
        looks,
        told: None,
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
    told: Option<Live>,
}

/// What an event says. How long there is passes by itself, so it is told along with what changes: activity is such a
/// change, for it was the last one.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    live: &'a Live,
    /// In how many milliseconds the session ends.
    left: u128,
    /// How many milliseconds before that the page is to warn.
    warns: u128,
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
            match self.look().await {
                Ok(None) => {}
                Ok(Some(news)) => {
                    let event = Event::default().retry(RETRY).data(news);
                    return Some((event, Some(self)));
                }
                // This request does not know its session any more: the page asks under the cookie it has by now.
                Err(Error::Ended) => return Some(end()),
                // The store is away: the page keeps what it shows until it is back.
                Err(error) => tracing::debug!(error = &error as &dyn std::error::Error, "a feed cannot look"),
            }
        }
    }

    /// What the page does not know yet, if anything.
    async fn look(&mut self) -> Result<Option<String>, Error> {
        self.session.reload().await?;
        if self.session.id().is_none() {
            // There never was one.
            return Err(Error::Ended);
        }
        let live = Live::of(&self.session)?;
        if self.told.as_ref() == Some(&live) {
            return Ok(None);
        }
        let told = Told {
            left: self.session.expires_in().unwrap_or_default().as_millis(),
            warns: WARNING.min(self.here.idle.0 / 4).as_millis(),
            live: self.told.insert(live),
        };
        let news = serde_json::to_string(&told).map_err(|source| Error::Encode {
            key: "the feed".into(),
            source: source.into(),
        });
        news.map(Some)
    }
}

/// The last event of a session.
fn end() -> (Event, Option<Feed>) {
    // A browser ignores an event without data.
    (Event::default().event("ended").data("ended"), None)
}

#[cfg(test)]
mod tests;
