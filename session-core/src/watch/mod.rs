//! How an instance learns that a session has ended elsewhere.
//!
//! A store tells its `Watch` what it hears of changes, through a `WatchLink` that stands for its subscription. Whoever
//! waits for a session's end is an entry there. One task an instance, the lookout, looks after what nobody announces:
//! expiry, what happened while there was no link, and what got lost.
//!
//! ```text
//!  store ── announcements ──▶ WatchLink ──▶ Watch ◀── looks, a few a second at most ── lookout ──▶ store.fates
//!                                             └──▶ until_ended
//! ```

#[cfg(feature = "conformance")]
mod inspect;
mod link;
#[cfg(feature = "watch")]
mod lookout;
mod sessions;
#[cfg(test)]
mod tests;
#[cfg(feature = "watch")]
mod until_ended;
#[allow(clippy::module_inception, reason = "the folder is named after its public type")]
mod watch;

pub use link::WatchLink;
#[cfg(feature = "watch")]
pub use until_ended::until_ended;
pub use watch::Watch;
