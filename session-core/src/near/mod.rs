//! A near cache: sessions that an instance has read and may read again without asking the store.
//!
//! ```text
//!  layer ── get ──▶ NearCache ◀── changes, proofs that the link lives ── NearLink ◀── the store's link to its server
//!    │ a miss          ▲ keep
//!    └──▶ store.load ──┘
//! ```
//!
//! It is the store's, so all that is done through the store on this instance is known to it at once; what other
//! instances do comes through the link. Three things keep it honest. A load is kept only if nothing was told of its
//! session since before it was sent. All that was kept is forgotten when the link is lost, and when there is another.
//! And nothing is served for longer than the lease after the link was last proven to live: so a link that died without
//! a word costs a lease, and no more.

mod entry;
mod lifeline;
#[allow(clippy::module_inception, reason = "the folder is named after what it is")]
mod near_cache;
mod near_change;
mod near_link;
mod reading;
#[cfg(test)]
mod tests;

pub use near_cache::NearCache;
pub use near_change::NearChange;
pub use near_link::NearLink;
pub use reading::Reading;
