//! Where the sessions are kept: what says so, the settings that lead there, and the open store.

mod check;
mod explain;
mod migrate;
mod open_store;
mod place;
mod source;

pub(crate) use explain::explain;
pub(crate) use migrate::migrate;
pub(crate) use open_store::Store;
pub(crate) use place::Place;
pub(crate) use source::Source;
